import type { Scrape } from './scrape.ts';

/** The figures of one kind of request. Rates are per second, durations in seconds. */
export interface Traffic {
  readonly name: string;
  /** The rate since the previous scrape. */
  readonly now: number;
  /** The rate over the last minute, or since the command began. */
  readonly minute: number;
  readonly total: number;
  /** Failed requests since the daemon was started; undefined if not reported. */
  readonly errors: number | undefined;
  readonly latency: Latency | undefined;
}

/**
 * Quantiles of the durations over the last minute. A latency is undefined if there was no request; a quantile
 * is infinite if it lies past the last bucket of the histogram.
 */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface Figures {
  /** The requests of the kernel, those that were the most frequent in the last minute first. */
  readonly kernel: readonly Traffic[];
  /** Whether the daemon reports the durations of its answers to the kernel. */
  readonly timesKernel: boolean;
  readonly store: readonly Traffic[];
  /**
   * The share of the cache's requests that were hits, in the last minute; undefined if there was no request.
   */
  readonly hitRate: number | undefined;
  readonly asked: number;
  /** The same share since the daemon was started. */
  readonly hitRateEver: number | undefined;
  /** Reads that failed since the daemon was started, by errno. */
  readonly readErrors: ReadonlyMap<string, number>;
  /** The period of the "last minute" figures in seconds; shorter at the beginning. */
  readonly window: number;
}

const KERNEL = 'dagmount_fuse_requests_total';
const KERNEL_SECONDS = 'dagmount_fuse_request_duration_seconds';
const STORE = 'dagmount_source_requests_total';
const STORE_SECONDS = 'dagmount_source_request_duration_seconds';

/**
 * Computes the figures from scrapes.
 *
 * @param scrapes the oldest first; at least one
 */
export function figuresOf(scrapes: readonly Scrape[]): Figures {
  const last = scrapes.at(-1) as Scrape;
  const before = scrapes.at(-2) ?? last;
  const first = scrapes[0] as Scrape;
  const hits = grown(first, last, 'dagmount_cache_hits_total');
  const asked = hits + grown(first, last, 'dagmount_cache_misses_total');
  const everHits = last.value('dagmount_cache_hits_total') ?? 0;
  const ever = everHits + (last.value('dagmount_cache_misses_total') ?? 0);
  const kernel = traffic({ first, before, last }, KERNEL, KERNEL_SECONDS, 'opcode');
  return {
    kernel: kernel.toSorted((one, other) => other.minute - one.minute || other.total - one.total),
    timesKernel: last.samples(`${KERNEL_SECONDS}_bucket`).length > 0,
    store: traffic({ first, before, last }, STORE, STORE_SECONDS, 'operation'),
    hitRate: asked === 0 ? undefined : hits / asked,
    asked,
    hitRateEver: ever === 0 ? undefined : everHits / ever,
    readErrors: last.byLabel('dagmount_read_errors_total', 'errno'),
    window: (last.at - first.at) / 1000,
  };
}

/** Returns the sums over several kinds of requests. */
export function sumOf(traffics: readonly Traffic[]): Pick<Traffic, 'now' | 'minute' | 'total'> {
  const sum = (pick: (traffic: Traffic) => number): number =>
    traffics.reduce((all, each) => all + pick(each), 0);
  return {
    now: sum(({ now }) => now),
    minute: sum(({ minute }) => minute),
    total: sum(({ total }) => total),
  };
}

interface Span {
  readonly first: Scrape;
  readonly before: Scrape;
  readonly last: Scrape;
}

function traffic(
  { first, before, last }: Span,
  counter: string,
  histogram: string,
  label: string,
): readonly Traffic[] {
  const totals = last.byLabel(counter, label);
  const early = first.byLabel(counter, label);
  const recent = before.byLabel(counter, label);
  const failed = errorsOf(last, counter, label);
  return [...totals].map(([name, total]) => ({
    name,
    now: rate(recent.get(name), total, last.at - before.at),
    minute: rate(early.get(name), total, last.at - first.at),
    total,
    errors: failed?.get(name) ?? (failed === undefined ? undefined : 0),
    latency: latencyOf(first, last, histogram, label, name),
  }));
}

/**
 * Returns the failures in a counter by the values of a label; undefined if the counter has no label
 * `outcome`.
 */
function errorsOf(last: Scrape, counter: string, label: string): ReadonlyMap<string, number> | undefined {
  const samples = last.samples(counter).filter(({ labels }) => labels.outcome !== undefined);
  if (samples.length === 0) return undefined;
  const errors = new Map<string, number>();
  for (const { labels, value } of samples) {
    const name = labels[label];
    if (name !== undefined && labels.outcome !== 'ok') errors.set(name, (errors.get(name) ?? 0) + value);
  }
  return errors;
}

function grown(first: Scrape, last: Scrape, name: string): number {
  return growth(first.value(name), last.value(name) ?? 0);
}

/**
 * Returns the increase of a counter. A counter that is smaller than before began again at 0 in a new server,
 * so its increase is its value.
 */
function growth(before: number | undefined, now: number): number {
  return now >= (before ?? 0) ? now - (before ?? 0) : now;
}

function rate(before: number | undefined, now: number, milliseconds: number): number {
  return milliseconds <= 0 ? 0 : (growth(before, now) / milliseconds) * 1000;
}

function latencyOf(
  first: Scrape,
  last: Scrape,
  histogram: string,
  label: string,
  name: string,
): Latency | undefined {
  const early = bucketsOf(first, histogram, label, name);
  const late = bucketsOf(last, histogram, label, name);
  // A new server begins every bucket at 0. If one bucket shows this, none is compared with its earlier count.
  const isSame = [...late].every(([bound, count]) => count >= (early.get(bound) ?? 0));
  const buckets = [...late]
    .map(([bound, count]) => ({ bound, count: isSame ? count - (early.get(bound) ?? 0) : count }))
    .sort((one, other) => one.bound - other.bound);
  const all = buckets.at(-1)?.count ?? 0;
  if (all === 0) return undefined;
  const at = (share: number): number => quantile(buckets, all * share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** Returns the cumulative counts of a histogram by the upper bounds of its buckets, in seconds. */
function bucketsOf(
  scrape: Scrape,
  histogram: string,
  label: string,
  name: string,
): ReadonlyMap<number, number> {
  const buckets = new Map<number, number>();
  for (const { labels, value } of scrape.samples(`${histogram}_bucket`)) {
    if (labels[label] !== name) continue;
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return buckets;
}

/** Returns a quantile, interpolated linearly within its bucket, as Prometheus' histogram_quantile does. */
function quantile(
  buckets: readonly { readonly bound: number; readonly count: number }[],
  rank: number,
): number {
  let below = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (!Number.isFinite(bucket.bound) || bucket.count === below.count) return bucket.bound;
      const share = (rank - below.count) / (bucket.count - below.count);
      return below.bound + (bucket.bound - below.bound) * share;
    }
    below = bucket;
  }
  return Number.POSITIVE_INFINITY;
}
