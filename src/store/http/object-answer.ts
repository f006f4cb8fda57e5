import { bareEtag, isEtag, isWeak } from '../etag.ts';
import { MEND_CORRUPT } from '../listing/errors.ts';
import type { GetOptions, ObjectHead } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import { badAnswer, notS3 } from './answer-error.ts';
import { type ExpectedChecksum, expectedChecksum } from './checksum.ts';
import { header, headerValues } from './headers.ts';
import type { StoreAnswer } from './signed-http.ts';

/** What the body of an answer to GET will contain, and which part of it was requested. */
export interface ObjectAnswer {
  readonly head: ObjectHead;
  /**
   * Bytes of the body before (`skip`) and after (`excess`) the requested part: a store that ignores ranges
   * sends the whole object.
   */
  readonly skip: number;
  readonly excess: number;
  /** Requested bytes. */
  readonly length: number;
  /** Offset of the requested part in the object. */
  readonly start: number;
  readonly checksum: ExpectedChecksum | undefined;
}

/**
 * The length of the answer differs from that of the object in the listing. The answer is damaged, or was
 * compressed or decompressed in transit.
 */
export class LengthError extends StoreError {
  /**
   * The head of the answer, if the length was known before the content arrived: the answer may then be of
   * another version of the object. Undefined if the content turned out to have another length.
   */
  readonly announced: ObjectHead | undefined;

  constructor(detail: string, announced?: ObjectHead) {
    super('corrupt', detail, MEND_CORRUPT, true);
    this.announced = announced;
  }
}

type EtagOptions = Pick<GetOptions, 'withoutEtag'>;

/**
 * Reads the head of an answer to HEAD or GET. `size`: bytes of the whole object.
 *
 * @throws {StoreError} `not-s3`: the required ETag is missing; `bad-answer`: there are two ETags
 */
export function readHead(
  answer: StoreAnswer,
  size: number,
  { withoutEtag = false }: EtagOptions,
): ObjectHead {
  const { headers } = answer;
  const etags = headerValues(headers, 'etag');
  const bare = bareEtag(etags[0] ?? '');
  if (etags.some((each) => bareEtag(each) !== bare)) throw badAnswer('the answer has two different ETags');
  const etag = isEtag(bare) ? bare : '';
  if (etag === '' && !withoutEtag) throw notS3(answer, 'the answer has no ETag');
  const date = Date.parse(header(headers, 'last-modified') ?? '');
  // Some stores send no Last-Modified. 0 means "long ago".
  const lastModified = Number.isNaN(date) ? 0 : date;
  const versionId = versionIdOf(headers);
  return etags.some(isWeak)
    ? { etag, isWeak: true, size, lastModified, versionId }
    : { etag, size, lastModified, versionId };
}

/**
 * Checks the head of an answer to GET against the request.
 *
 * @param whole bytes of the whole body, if known although the answer does not announce them
 * @throws {StoreError} as {@link readHead}; `changed`: another version than the requested one; `corrupt`:
 *   another range, or (LengthError) another length
 */
export function readObjectAnswer(answer: StoreAnswer, options: GetOptions, whole?: number): ObjectAnswer {
  const { range, ifMatch, size: listedSize } = options;
  const announced = announcedLength(answer);
  const sent = announced ?? whole ?? listedSize;
  const placed =
    answer.status === 206 && range !== undefined
      ? placeOfPart(answer, range, announced)
      : placeInWhole(answer, range, sent);
  const head = readHead(answer, placed.size, options);
  if (ifMatch !== undefined && head.etag !== '' && head.etag !== bareEtag(ifMatch)) {
    // The store ignores If-Match: it answered although the ETag differs.
    throw changed(`its ETag is ${head.etag}, not ${bareEtag(ifMatch)} as requested`);
  }
  if (listedSize !== undefined && placed.size !== listedSize) {
    throw new LengthError(`it has ${placed.size} bytes, not ${listedSize} as listed`, head);
  }
  return {
    head,
    skip: placed.skip,
    excess: placed.excess,
    length: placed.end - placed.start,
    start: placed.start,
    checksum:
      range === undefined
        ? expectedChecksum(answer.headers, head.etag === '' ? ifMatch : undefined)
        : undefined,
  };
}

/** Returns the Content-Length; undefined if the answer is chunked, or ends with its connection. */
export function announcedLength({ headers }: Pick<StoreAnswer, 'headers'>): number | undefined {
  const text = header(headers, 'content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

interface Place {
  /** Bytes of the whole object. */
  readonly size: number;
  readonly start: number;
  readonly end: number;
  readonly skip: number;
  readonly excess: number;
}

/** Returns where the requested range lies in a body that has the whole object. */
function placeInWhole(answer: StoreAnswer, range: GetOptions['range'], sent: number | undefined): Place {
  if (sent === undefined) throw notS3(answer, 'the answer has no Content-Length');
  if (range === undefined) return { size: sent, start: 0, end: sent, skip: 0, excess: 0 };
  const { start } = range;
  if (start >= sent) throw changed(`it has only ${sent} bytes, and bytes from ${start} on were requested`);
  const end = Math.min(range.end, sent);
  return { size: sent, start, end, skip: start, excess: sent - end };
}

function placeOfPart(
  answer: StoreAnswer,
  range: NonNullable<GetOptions['range']>,
  announced: number | undefined,
): Place {
  const { start } = range;
  const said = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(
    header(answer.headers, 'content-range') ?? '',
  );
  const [first, last, size] = (said?.slice(1) ?? []).map(Number);
  if (first === undefined || last === undefined || size === undefined) {
    throw notS3(answer, 'the answer is a part of an object, without Content-Range');
  }
  const end = Math.min(range.end, size);
  if (first !== start || last + 1 !== end || (announced !== undefined && announced !== end - start)) {
    throw corrupt(`bytes ${start} to ${end} were requested, but ${first} to ${last + 1} arrived`);
  }
  return { size, start, end, skip: 0, excess: 0 };
}

/**
 * Returns the S3 version id of an answer; undefined if the bucket has no versioning: S3 then sends no id, or
 * `null`.
 */
export function versionIdOf(headers: StoreAnswer['headers']): string | undefined {
  const text = header(headers, 'x-amz-version-id');
  return text === undefined || text === '' || text === 'null' ? undefined : text;
}

export function changed(detail: string): StoreError {
  return new StoreError('changed', detail, 'The next listing shows what the store has now.', false);
}

export function corrupt(detail: string): StoreError {
  return new StoreError('corrupt', detail, MEND_CORRUPT, true);
}
