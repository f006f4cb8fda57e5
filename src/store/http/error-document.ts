import { printable } from '../../base/printable.ts';
import { type Credentials, withoutSecrets } from '../credentials.ts';

/** No S3 error document is longer. A longer body is not read further, and not parsed. */
export const MAX_ERROR_BYTES = 64 * 1024;

/** The content of an S3 error document. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly region: string | undefined;
  /** The bucket's endpoint, in a redirect. */
  readonly endpoint: string | undefined;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Parses `<Error>…</Error>`, as S3 sends it. Returns undefined if the bytes are no such document.
 *
 * @param credentials the credentials of the request; the message may repeat them, so they are replaced by ***
 */
export function parseErrorDocument(bytes: Uint8Array, credentials?: Credentials): ErrorDocument | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const inner = /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?(?:<ErrorResponse[^>]*>\s*)?<Error(?:\s[^>]*)?>(.*)/s.exec(
    text,
  )?.[1];
  if (inner === undefined) return undefined;
  const code = field(inner, 'Code');
  if (code === undefined || !/^[\w.:-]{1,100}$/.test(code)) return undefined;
  return {
    code,
    message: field(inner, 'Message', credentials) ?? '',
    region: field(inner, 'Region'),
    endpoint: field(inner, 'Endpoint'),
  };
}

function field(text: string, name: string, credentials?: Credentials): string | undefined {
  const open = text.indexOf(`<${name}>`);
  if (open < 0) return undefined;
  const start = open + name.length + 2;
  const end = text.indexOf('<', start);
  if (end < 0) return undefined;
  const value = text.slice(start, end).replace(/&(#x?[0-9a-f]+|\w+);/gi, character);
  // Line ends and indentation belong to the document's layout, not to the value.
  const oneLine = value.trim().replace(/[ \t\r\n]+/g, ' ');
  return printable(withoutSecrets(oneLine, credentials), 500);
}

function character(entity: string, name: string): string {
  if (!name.startsWith('#')) return ENTITIES.get(name) ?? entity;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
