import type { ListedObjects } from '../../src/base/listed-objects.ts';
import type { ListingColumns } from '../../src/store/listing/columns.ts';

/** An object as a test gives it. */
export interface StoredObject {
  /** The whole key, prefix included. */
  readonly key: Uint8Array;
  readonly size: number;
  readonly lastModified: number;
  readonly etag: string;
  readonly storageClass?: string;
}

export interface AnswerParts {
  readonly prefix: Uint8Array;
  readonly objects: readonly StoredObject[];
  /** If present, the answer is truncated. */
  readonly token?: string;
  /** How a key is written; default as S3 does for `encoding-type=url`. */
  readonly writeKey?: (key: Uint8Array) => string;
  /** Default true. */
  readonly echoesEncoding?: boolean;
}

/** Encodes as S3 does: letters, digits, `-_.*` and the slash stay, and a space becomes a plus. */
export function urlEncoded(key: Uint8Array): string {
  let text = '';
  for (const byte of key) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.*/]/.test(character)) text += character;
    else if (character === ' ') text += '+';
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** Encodes as an encoder of URIs does: the slash too, a space as `%20`, and in lower case. */
export function percentEncoded(key: Uint8Array): string {
  let text = '';
  for (const byte of key) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

/** Latin-1 stands for bytes here, so that a key of any bytes survives. */
export function escapedOnly(key: Uint8Array): string {
  return xmlText(Buffer.from(key).toString('latin1'));
}

export function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function answer(parts: AnswerParts): Buffer {
  const write = parts.writeKey ?? urlEncoded;
  const contents = parts.objects.map(
    ({ key, size, lastModified, etag, storageClass }) =>
      `<Contents><Key>${write(key)}</Key><LastModified>${new Date(lastModified).toISOString()}</LastModified>` +
      `<ETag>&quot;${xmlText(etag)}&quot;</ETag><Size>${size}</Size>` +
      `<StorageClass>${storageClass ?? 'STANDARD'}</StorageClass></Contents>`,
  );
  const token =
    parts.token === undefined ? '' : `<NextContinuationToken>${xmlText(parts.token)}</NextContinuationToken>`;
  const echo = (parts.echoesEncoding ?? true) ? '<EncodingType>url</EncodingType>' : '';
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<Name>dags</Name><Prefix>${write(parts.prefix)}</Prefix>${token}<KeyCount>${parts.objects.length}</KeyCount>` +
      `<MaxKeys>1000</MaxKeys>${echo}<IsTruncated>${parts.token !== undefined}</IsTruncated>` +
      `${contents.join('')}</ListBucketResult>`,
    'latin1',
  );
}

/** The rows of a listing, one object each, keys as Latin-1 (a byte a character). */
export function rowsOf(listing: ListedObjects | ListingColumns): readonly Row[] {
  const objects = 'finish' in listing ? listing.finish() : listing;
  const text = (bytes: Uint8Array, ends: Uint32Array, row: number) =>
    Buffer.from(bytes.subarray(ends[row - 1] ?? 0, ends[row])).toString('latin1');
  return Array.from({ length: objects.count }, (_, row) => ({
    key: text(objects.keys, objects.keyEnds, row),
    size: objects.sizes[row] ?? Number.NaN,
    lastModified: objects.lastModified[row] ?? Number.NaN,
    etag: text(objects.etags, objects.etagEnds, row),
    archived: objects.archived[row] === 1,
  }));
}

export interface Row {
  readonly key: string;
  readonly size: number;
  readonly lastModified: number;
  readonly etag: string;
  readonly archived: boolean;
}
