import { Deadline } from '../../store/deadline.ts';
import { bareEtag, isEtag } from '../../store/etag.ts';
import { header } from '../../store/http/headers.ts';
import type { SignedHttp } from '../../store/http/signed-http.ts';
import { SYSTEM_PACE, withRetries, type Yielder } from '../../store/request-retry.ts';
import { StoreError } from '../../store/store-error.ts';
import type { ReaderAnswer, ReadOptions, ReleaseReader } from './release-reader.ts';

/**
 * The deadline for reading an object, in milliseconds, including retries. A large object gets more time,
 * because the connection may be slow.
 */
const DEADLINE_MS = 10_000;
const SLOWEST_BYTES_PER_MS = 512;

/** Reads the small objects of a release root in S3. */
export class S3ReleaseReader implements ReleaseReader {
  readonly #http: SignedHttp;
  readonly #yielder: Yielder;

  constructor(http: SignedHttp, yielder: Yielder = SYSTEM_PACE) {
    this.#http = http;
    this.#yielder = yielder;
  }

  async read(key: string, { most, unless, signal }: ReadOptions): Promise<ReaderAnswer> {
    const deadline = new Deadline(signal);
    const deadlineMs = DEADLINE_MS + most / SLOWEST_BYTES_PER_MS;
    try {
      const attempt = (): Promise<ReaderAnswer> => this.#ask(key, most, unless, deadline);
      return await withRetries(attempt, { deadline, deadlineMs, yielder: this.#yielder });
    } catch (error) {
      // An error carries no Date. Without s3:ListBucket the store answers 403 instead of 404 for a missing
      // object, and that stays an error.
      if (error instanceof StoreError && error.code === 'gone')
        return { look: { kind: 'absent' }, date: undefined };
      throw error;
    } finally {
      deadline.dispose();
    }
  }

  async #ask(
    key: string,
    most: number,
    unless: string | undefined,
    deadline: Deadline,
  ): Promise<ReaderAnswer> {
    const http = this.#http;
    const request = {
      operation: 'get',
      key: http.target.prefix + key,
      headers: unless === undefined ? {} : { 'if-none-match': `"${unless}"` },
    } as const;
    const answer = await http.send(request, deadline);
    const parsed = Date.parse(header(answer.headers, 'date') ?? '');
    const date = Number.isNaN(parsed) ? undefined : parsed;
    if (answer.status === 304) {
      await http.collect(answer, 0, deadline);
      return { look: { kind: 'same' }, date };
    }
    const etag = bareEtag(header(answer.headers, 'etag') ?? '');
    const bytes = await http.collect(answer, most, deadline);
    if (bytes === undefined) return { look: { kind: 'too-long' }, date };
    return { look: { kind: 'read', bytes, etag: isEtag(etag) ? etag : undefined }, date };
  }
}
