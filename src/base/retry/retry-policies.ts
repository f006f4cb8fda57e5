/** The pause between two tries: none; increasing, with jitter; or random. Milliseconds. */
export type Pauses =
  | { readonly kind: 'none' }
  /** The pause doubles from `firstMs` to `longestMs`. `jitter` is the share of the pause that is random. */
  | {
      readonly kind: 'growing';
      readonly firstMs: number;
      readonly longestMs: number;
      readonly jitter: number;
    }
  /** If `mostMs` is undefined, the policy's option defines it. */
  | { readonly kind: 'random'; readonly leastMs: number; readonly mostMs: number | undefined };

/** Which option changes the policy, or why no option does. */
export type Bound = { readonly option: string } | { readonly fixed: string };

export interface RetryPolicy {
  /** What is tried, in words. */
  readonly what: string;
  /** Tries in total; Infinity if only the time limit ends them. */
  readonly tries: number;
  readonly pauses: Pauses;
  /** The time limit for all tries together; undefined if `bound` defines it, or if there is none. */
  readonly deadlineMs: number | undefined;
  readonly bound: Bound;
  /** The metric that counts the tries or their result; undefined if a command reports them to its user. */
  readonly metric: string | undefined;
}

const NONE = { kind: 'none' } as const;
const GROWING = { kind: 'growing', firstMs: 100, longestMs: 2_000 } as const;

/**
 * Every retry in dagmount. docs/operations.md has the same table; test/structure/retries.test.ts checks that both are
 * equal.
 */
export const RETRIES = {
  request: {
    what: 'a request to the store, with a short answer or a small object',
    tries: 20,
    pauses: { ...GROWING, jitter: 1 },
    deadlineMs: 30_000,
    bound: { fixed: 'no reader waits longer than --read-deadline' },
    metric: 'dagmount_source_requests_total',
  },
  garbledAnswer: {
    what: 'of these, a garbled answer',
    tries: 3,
    pauses: { ...GROWING, jitter: 1 },
    deadlineMs: 30_000,
    bound: { fixed: 'retries do not repair a proxy that alters answers' },
    metric: 'dagmount_source_requests_total',
  },
  smallObject: {
    what: 'a small object in the background, the short way; then as a request',
    tries: 1,
    pauses: NONE,
    deadlineMs: 10_000,
    bound: { fixed: 'together with a request shorter than the limit of an object' },
    metric: 'dagmount_source_requests_total',
  },
  page: {
    what: 'a page of a listing',
    tries: 20,
    pauses: { ...GROWING, jitter: 1 },
    deadlineMs: 10_000,
    bound: { fixed: 'the next listing starts again; listings detect that the store is down' },
    metric: 'dagmount_source_requests_total',
  },
  garbledPage: {
    what: 'a garbled or contradictory page; within the same time limit',
    tries: 3,
    pauses: { ...GROWING, jitter: 0.5 },
    deadlineMs: 10_000,
    bound: { fixed: 'as for a page' },
    metric: 'dagmount_source_requests_total',
  },
  listingInOnePage: {
    what: 'a whole listing in one page, if the pages of the store do not join; then always page by page',
    tries: 3,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { fixed: 'more requests would slow down a store that cannot answer in time' },
    metric: 'dagmount_source_requests_total',
  },
  brokenBody: {
    what: 'the rest of a large object after its connection broke; a try that gets bytes resets the count',
    tries: 3,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { fixed: 'the deadline of the object bounds it' },
    metric: 'dagmount_source_requests_total',
  },
  slowBody: {
    what: 'the rest of a large object that comes too slowly',
    tries: 2,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { fixed: 'the deadline of the object bounds it' },
    metric: 'dagmount_source_requests_total',
  },
  damagedContent: {
    what: 'content that arrives damaged, or changes during the transfer',
    tries: 3,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { fixed: 'retries do not repair a proxy that alters answers' },
    metric: 'dagmount_source_requests_total',
  },
  evictedBlob: {
    what: 'a cached blob that is evicted, or altered, before a reader has read it',
    tries: 9,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { option: 'read-deadline' },
    metric: 'dagmount_read_errors_total',
  },
  events: {
    what: 'receiving messages from the queue of `--events`',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'growing', firstMs: 1_000, longestMs: 60_000, jitter: 0.5 },
    deadlineMs: undefined,
    bound: { fixed: 'polling finds changes meanwhile' },
    metric: 'dagmount_hints_total',
  },
  firstStart: {
    what: 'a first start without the store',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'random', leastMs: 500, mostMs: 2_000 },
    deadlineMs: undefined,
    bound: { option: 'wait-for-store' },
    metric: 'dagmount_source_requests_total',
  },
  revalidation: {
    what: 'a listing, or a publication, that failed',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'random', leastMs: 1_000, mostMs: undefined },
    deadlineMs: undefined,
    bound: { option: 'poll-interval' },
    metric: 'dagmount_source_consecutive_failures',
  },
  waitingTree: {
    what: 'objects that a tree waits for; at least twice',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'random', leastMs: 1_000, mostMs: 10_000 },
    deadlineMs: undefined,
    bound: { option: 'unreadable-wait' },
    metric: 'dagmount_waiting_objects',
  },
  backlog: {
    what: 'the background fetch of the shown tree, after the store failed',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'random', leastMs: 1_000, mostMs: undefined },
    deadlineMs: undefined,
    bound: { option: 'poll-interval' },
    metric: 'dagmount_ready',
  },
  object: {
    what: 'a whole object of a new tree; the limit grows by 1 s for each 5 KB',
    tries: 1,
    pauses: NONE,
    deadlineMs: 45_000,
    bound: { fixed: 'longer than a request, so that the answer of the store is reported' },
    metric: 'dagmount_waiting_objects',
  },
  control: {
    what: 'one byte of another object, after one object failed',
    tries: 1,
    pauses: NONE,
    deadlineMs: 10_000,
    bound: { fixed: 'a store that needs longer for one byte counts as failing' },
    metric: 'dagmount_source_requests_total',
  },
  unreadableRead: {
    what: 'a read of an object that could not be fetched before',
    tries: 1,
    pauses: NONE,
    deadlineMs: 2_000,
    bound: { fixed: 'one scan reads many of them' },
    metric: 'dagmount_read_errors_total',
  },
  unreadableObject: {
    what: 'a shown object that cannot be fetched; the first pause is twice the poll interval',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'growing', firstMs: 0, longestMs: 600_000, jitter: 0 },
    deadlineMs: undefined,
    bound: { fixed: 'each publication and each reader also tries it' },
    metric: 'dagmount_unreadable_objects',
  },
  cacheLock: {
    what: 'the lock of a cache directory, at a start; a process that was killed may still hold it',
    tries: 12,
    pauses: { kind: 'growing', firstMs: 50, longestMs: 500, jitter: 0 },
    deadlineMs: undefined,
    bound: { fixed: 'a killed process releases it within seconds; a running one must be unmounted' },
    metric: undefined,
  },
  disk: {
    what: 'a cache directory that refused a write; the first write after the pause tries it',
    tries: Number.POSITIVE_INFINITY,
    pauses: { kind: 'random', leastMs: 5_000, mostMs: 5_000 },
    deadlineMs: undefined,
    bound: { fixed: 'a failed write has no other cost' },
    metric: 'dagmount_cache_misses_total',
  },
  ref: {
    what: 'a ref that moves while dagmount reads the log of steps beside it',
    tries: 3,
    pauses: NONE,
    deadlineMs: undefined,
    bound: { fixed: 'the next poll starts again' },
    metric: 'dagmount_source_requests_total',
  },
  write: {
    what: 'a request of a deploy, promotion, roll-back or clean-up',
    tries: 5,
    pauses: { kind: 'growing', firstMs: 200, longestMs: 1_600, jitter: 1 },
    deadlineMs: undefined,
    bound: { fixed: 'the user can repeat the command' },
    metric: undefined,
  },
  writeConflict: {
    what: 'of these, a write that collides with another one of the same key (409)',
    tries: 8,
    pauses: { kind: 'growing', firstMs: 100, longestMs: 800, jitter: 1 },
    deadlineMs: undefined,
    bound: { fixed: 'the user can repeat the command' },
    metric: undefined,
  },
  step: {
    what: 'a step, when another writer moved the ref first',
    tries: 5,
    pauses: { kind: 'growing', firstMs: 300, longestMs: 2_400, jitter: 0.67 },
    deadlineMs: undefined,
    bound: { fixed: 'the command reports it, and the user decides' },
    metric: undefined,
  },
} as const satisfies Readonly<Record<string, RetryPolicy>>;
