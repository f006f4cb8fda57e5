import { RETRIES } from '../../base/retry/retry-policies.ts';
import { Deadline } from '../deadline.ts';
import type { SignedHttp } from '../http/signed-http.ts';
import { SYSTEM_PACE, withRetries, type Yielder } from '../request-retry.ts';
import { StoreError } from '../store-error.ts';
import type { FetchPage, PageQuery } from './page-reader.ts';
import { MAX_PAGE_BYTES } from './scanner.ts';

/** The maximum number of keys that S3 sends in a page. */
const PAGE_KEYS = 1_000;
/**
 * The maximum number of bytes of a page from a store that sends all keys in one page: room for 50,000 long
 * names.
 */
const MAX_LONG_PAGE_BYTES = 64 * 1024 * 1024;

export interface FetchPageOptions {
  readonly http: SignedHttp;
  readonly yielder?: Yielder;
  readonly deadlineMs?: number;
}

/**
 * Returns a function that fetches pages of ListObjectsV2 with url-encoded keys. It rejects with StoreError.
 */
export function createFetchPage(options: FetchPageOptions): FetchPage {
  const { http, yielder = SYSTEM_PACE, deadlineMs = RETRIES.page.deadlineMs } = options;
  return async (query, signal, withinMs = deadlineMs) => {
    const limit = (query.maxKeys ?? PAGE_KEYS) > PAGE_KEYS ? MAX_LONG_PAGE_BYTES : MAX_PAGE_BYTES;
    const request = { operation: 'list', key: '', query: parameters(query) } as const;
    const deadline = new Deadline(signal);
    try {
      const bytes = await withRetries(
        async () => http.collect(await http.send(request, deadline), limit, deadline),
        { deadline, deadlineMs: Math.min(deadlineMs, withinMs), yielder },
      );
      if (bytes === undefined) throw tooLong(limit);
      return bytes;
    } finally {
      deadline.dispose();
    }
  };
}

function parameters({ prefix, continuationToken, startAfter, maxKeys }: PageQuery): Record<string, string> {
  return {
    'list-type': '2',
    'encoding-type': 'url',
    prefix,
    ...(continuationToken !== undefined && { 'continuation-token': continuationToken }),
    ...(startAfter !== undefined && { 'start-after': startAfter }),
    ...(maxKeys !== undefined && { 'max-keys': String(maxKeys) }),
  };
}

function tooLong(limit: number): StoreError {
  return new StoreError(
    'not-s3',
    `a page of the listing is longer than ${limit} bytes`,
    'Check that the endpoint is an S3 API, and that no other server answers in its place.',
    false,
  );
}
