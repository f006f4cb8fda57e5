import { notS3 } from './answer-error.ts';
import { type ExpectedChecksum, expectedChecksum } from './checksum.ts';
import { bareEtag, header } from './headers.ts';
import type { GetOptions, ObjectHead } from './object-store.ts';
import type { StoreAnswer } from './signed-http.ts';
import { StoreError } from './store-error.ts';

/** What an answer to GET is about to send, and what of it was asked for. */
export interface ObjectAnswer {
  readonly head: ObjectHead;
  /** Bytes of the body before what was asked for, and behind it: a store that ignores ranges sends the whole. */
  readonly skip: number;
  readonly excess: number;
  /** Bytes that were asked for. */
  readonly length: number;
  /** Where in the object they begin. */
  readonly start: number;
  readonly checksum: ExpectedChecksum | undefined;
}

/**
 * Reads the head of an answer to HEAD or GET.
 *
 * @throws {StoreError} `changed`: another version than the one asked for; `corrupt`: another range; `not-s3`: what
 *   S3 always sends is missing
 */
export function readHead(answer: StoreAnswer, size: number): ObjectHead {
  const { headers } = answer;
  if (headers.etag === undefined) throw notS3(answer, 'an object without an ETag');
  const lastModified = Date.parse(headers['last-modified'] ?? '');
  return {
    etag: bareEtag(headers.etag),
    size,
    // Some stores send none. 0 reads as "long ago".
    lastModified: Number.isNaN(lastModified) ? 0 : lastModified,
    versionId: versionIdOf(header(headers, 'x-amz-version-id')),
  };
}

export function readObjectAnswer(answer: StoreAnswer, options: GetOptions): ObjectAnswer {
  const { range, ifMatch } = options;
  const sent = contentLength(answer);
  const placed =
    range === undefined
      ? { size: sent, start: 0, end: sent, skip: 0, excess: 0 }
      : place(answer, range, sent);
  const head = readHead(answer, placed.size);
  if (ifMatch !== undefined && ifMatch !== '' && head.etag !== bareEtag(ifMatch)) {
    // The store ignores If-Match.
    throw changed(`it has the ETag ${head.etag}, where ${bareEtag(ifMatch)} was asked for`);
  }
  return {
    head,
    skip: placed.skip,
    excess: placed.excess,
    length: placed.end - placed.start,
    start: placed.start,
    checksum: range === undefined ? expectedChecksum(answer.headers) : undefined,
  };
}

export function contentLength(answer: StoreAnswer): number {
  const text = answer.headers['content-length'];
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw notS3(answer, 'an answer without Content-Length');
  return Number(text);
}

/** Where the body lies in the object, and what of it is wanted. */
function place(answer: StoreAnswer, range: { readonly start: number; readonly end: number }, sent: number) {
  const { start } = range;
  if (answer.status !== 206) {
    if (start >= sent) throw changed(`it has ${sent} bytes, and was asked for what follows ${start}`);
    const end = Math.min(range.end, sent);
    return { size: sent, start, end, skip: start, excess: sent - end };
  }
  const said = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(
    header(answer.headers, 'content-range') ?? '',
  );
  const [first, last, size] = (said?.slice(1) ?? []).map(Number);
  if (first === undefined || last === undefined || size === undefined) {
    throw notS3(answer, 'a part of an object without Content-Range');
  }
  const end = Math.min(range.end, size);
  if (first !== start || last + 1 !== end || sent !== end - start) {
    throw corrupt(`bytes ${start} to ${end} were asked for, and ${first} to ${last + 1} came`);
  }
  return { size, start, end, skip: 0, excess: 0 };
}

/** Without versioning S3 sends none, or the text `null`. */
function versionIdOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text === 'null' ? undefined : text;
}

function changed(detail: string): StoreError {
  return new StoreError('changed', detail, 'The next listing shows what the store has now.', false);
}

export function corrupt(detail: string): StoreError {
  return new StoreError(
    'corrupt',
    detail,
    'If this goes on, look for what stands between dagmount and the store and changes its answers.',
    true,
  );
}
