import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Status } from '../shapes/status.ts';
import { DURATION_BOUNDS, MirroredHistogram, type Observations } from './mirrored-histogram.ts';
import { asOpenMetrics } from './open-metrics.ts';

/** Of prom-client's own, those whose names promise a counter and that are none; the same numbers come by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Values that are read at a scrape. */
export interface MetricsSnapshot {
  readonly status: Status;
  /** Number of keys, by reason. */
  readonly problems: ReadonlyMap<string, number>;
  /** Undefined where the session does not answer: the last ones stay. */
  readonly session:
    | {
        /** Requests of the kernel, by opcode. */
        readonly opcodes: Readonly<Record<string, number>>;
        /** Reads that failed, by errno. */
        readonly readErrors: Readonly<Record<string, number>>;
        /** Of answered requests of the kernel, by opcode. */
        readonly durations: ReadonlyMap<string, Observations>;
      }
    | undefined;
}

/**
 * Whether name and labels stay as they are until the next major version. `values change`: name and labels stay, the
 * values of the labels follow how dagmount is built.
 */
export type MetricStability = 'stable' | 'values change';

export interface MetricDeclaration {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly stability: MetricStability;
}

/** Metrics whose labels have values of dagmount's own inner workings. */
const VALUES_CHANGE: ReadonlySet<string> = new Set(['dagmount_publish_duration_seconds']);

/** Every metric of a daemon, declared here and nowhere else: name, type, labels and help. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #declared: MetricDeclaration[] = [];

  readonly #buildInfo = this.#gauge('dagmount_build_info', 'What runs: always 1', ['version', 'node']);
  readonly #generationInfo = this.#gauge(
    'dagmount_generation_info',
    'The generation that is shown: always 1',
    ['generation'],
  );
  readonly #generationNumber = this.#gauge(
    'dagmount_generation_number',
    'Number of the generation that is shown; grows by one a publication',
  );
  readonly #generationPublished = this.#gauge(
    'dagmount_generation_published_timestamp_seconds',
    'When the generation that is shown was published',
  );
  readonly #generationFiles = this.#gauge(
    'dagmount_generation_files',
    'Files of the generation that is shown',
  );
  readonly #releaseSeq = this.#gauge(
    'dagmount_release_seq',
    'Number of the step that put the release shown in force; absent where the source is a prefix',
  );
  readonly #releaseInfo = this.#gauge('dagmount_release_info', 'The release that is shown: always 1', [
    'ref',
    'release',
  ]);
  readonly #versions = this.#gauge(
    'dagmount_versions',
    'Versions shown beside the current tree; absent without --versions',
  );
  readonly #versionLookups = this.#counter(
    'dagmount_version_lookups_total',
    'Look-ups of versions that were not shown, which asked the store',
    ['outcome'],
  );
  readonly #versionLookupsWaiting = this.#gauge(
    'dagmount_version_lookups_waiting',
    'Look-ups of versions that wait for the store; absent without --versions',
  );
  readonly #releaseCreated = this.#gauge(
    'dagmount_release_created_timestamp_seconds',
    'When the step that put the release shown in force was made, by its writer',
  );
  readonly #releaseArmed = this.#gauge(
    'dagmount_release_armed_timestamp_seconds',
    'When the release that is armed will be shown; absent where none is',
  );
  readonly #lastSuccess = this.#gauge(
    'dagmount_source_last_success_timestamp_seconds',
    'When the last revalidation that succeeded began',
  );
  readonly #staleness = this.#gauge(
    'dagmount_source_staleness_seconds',
    'Time since the last revalidation that succeeded began',
  );
  readonly #failures = this.#gauge(
    'dagmount_source_consecutive_failures',
    'Revalidations that failed since the last that succeeded',
  );
  readonly #sourceSlow = this.#gauge(
    'dagmount_source_slow',
    'Whether a listing takes, or took, longer than a minute: 0 or 1',
  );
  readonly #onStandby = this.#gauge(
    'dagmount_source_on_standby',
    'Whether trees are read from a standby source: 0 or 1; absent without one',
  );
  readonly #listingSeconds = this.#gauge(
    'dagmount_source_listing_seconds',
    'Time that the listing under way has taken, or else the last one took',
  );
  readonly #sourceRequests = this.#counter('dagmount_source_requests_total', 'Requests to the store', [
    'operation',
    'outcome',
  ]);
  readonly #sourceDurations = this.#histogram(
    'dagmount_source_request_duration_seconds',
    "Time to the head of the store's answer",
    ['operation'],
  );
  readonly #hints = this.#counter(
    'dagmount_hints_total',
    'Hints that the source may have changed: from the watched key, the queue or the webhook',
    ['from', 'outcome'],
  );
  readonly #sourceBytes = this.#counter(
    'dagmount_source_bytes_total',
    'Bytes of content and listings that came',
  );
  readonly #stages = this.#histogram(
    'dagmount_publish_duration_seconds',
    'Time that the stages of a revalidation took',
    ['stage'],
  );
  readonly #stuck = this.#gauge(
    'dagmount_publication_stuck',
    'Whether a process keeps the kernel from taking a publication: 0 or 1',
  );
  readonly #held = this.#gauge('dagmount_held', 'Whether a listing or a ref is held back: 0 or 1');
  readonly #heldInfo = this.#gauge(
    'dagmount_held_info',
    'Why a listing or a ref is held back: 1 while it is',
    ['reason'],
  );
  readonly #waiting = this.#gauge(
    'dagmount_waiting_objects',
    'Objects that cannot be had, for which a tree waits before it is shown',
  );
  readonly #unreadable = this.#gauge(
    'dagmount_unreadable_objects',
    'Files that are shown although their content cannot be had: reading them fails',
  );
  readonly #problems = this.#gauge('dagmount_problems', 'Keys that are not shown as they are', ['reason']);
  readonly #cacheBytes = this.#gauge('dagmount_cache_bytes', 'Content in the cache');
  readonly #cacheLimit = this.#gauge('dagmount_cache_limit_bytes', 'Most content that the cache may hold');
  readonly #cacheEntries = this.#gauge('dagmount_cache_entries', 'Blobs in the cache');
  readonly #cacheHits = this.#counter(
    'dagmount_cache_hits_total',
    'Content that was asked for and was in the cache',
  );
  readonly #cacheMisses = this.#counter(
    'dagmount_cache_misses_total',
    'Content that was asked for and was fetched',
  );
  readonly #cacheEvictions = this.#counter(
    'dagmount_cache_evictions_total',
    'Blobs that made room for others',
  );
  readonly #cacheCorrupt = this.#counter(
    'dagmount_cache_corrupt_total',
    'Blobs that were not what was stored',
  );
  readonly #fuseRequests = this.#counter('dagmount_fuse_requests_total', 'Requests of the kernel', [
    'opcode',
  ]);
  readonly #fuseDurations = this.#mirror(
    'dagmount_fuse_request_duration_seconds',
    'Time from reading a request of the kernel to its answer; IOCTLs, which the transport answers, are not in it',
    'opcode',
  );
  readonly #readErrors = this.#counter('dagmount_read_errors_total', 'Reads that failed', ['errno']);
  readonly #restarts = this.#counter('dagmount_restarts_total', 'Times that the server was started again');
  readonly #supervised = this.#gauge(
    'dagmount_supervised',
    'Whether the server would be started again: 0 or 1',
  );
  readonly #ready = this.#gauge('dagmount_ready', 'Whether a whole tree is mounted and local: 0 or 1');

  /** @param build the version of dagmount, and that of Node.js */
  constructor(build: { readonly version: string; readonly node: string }) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    this.#buildInfo.set({ version: build.version, node: build.node }, 1);
  }

  /** Without those of Node.js. */
  get declared(): readonly MetricDeclaration[] {
    return this.#declared;
  }

  /** One request to the store was answered, or failed. */
  request(operation: string, outcome: string, milliseconds: number): void {
    this.#sourceRequests.inc({ operation, outcome });
    this.#sourceDurations.observe({ operation }, milliseconds / 1000);
  }

  /** So many hints came. */
  hint(from: string, outcome: string, count: number): void {
    this.#hints.inc({ from, outcome }, count);
  }

  /** So many bytes came from the store. */
  bytes(count: number): void {
    this.#sourceBytes.inc(count);
  }

  /** A stage of a revalidation took so long. */
  stage(stage: string, seconds: number): void {
    this.#stages.observe({ stage }, seconds);
  }

  /** In Prometheus' text format, or as OpenMetrics. */
  async expose(
    snapshot: MetricsSnapshot,
    openMetrics = false,
  ): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#take(snapshot);
    const text = await this.#registry.metrics();
    // prom-client's own OpenMetrics output strips `_total` from the counters permanently: later Prometheus scrapes would lack it.
    if (openMetrics) return { contentType: Registry.OPENMETRICS_CONTENT_TYPE, text: asOpenMetrics(text) };
    return { contentType: this.#registry.contentType, text };
  }

  #take({ status, problems, session }: MetricsSnapshot): void {
    const { generation, source, cache } = status;
    this.#generationInfo.reset();
    if (generation !== null) this.#generationInfo.set({ generation: generation.id }, 1);
    setOrRemove(this.#generationNumber, generation?.number);
    setOrRemove(this.#generationPublished, secondsOf(generation?.publishedAt));
    setOrRemove(this.#generationFiles, generation?.files);
    this.#takeRelease(status.release);
    setOrRemove(this.#versions, status.versions?.shown);
    setOrRemove(this.#versionLookupsWaiting, status.versions?.waiting);
    if (status.versions !== null) setCounters(this.#versionLookups, 'outcome', status.versions.lookups);
    setOrRemove(this.#lastSuccess, secondsOf(source.lastSuccessAt));
    setOrRemove(this.#staleness, source.stalenessSeconds);
    this.#failures.set(source.consecutiveFailures);
    this.#sourceSlow.set(status.degraded.includes('source-slow') ? 1 : 0);
    setOrRemove(this.#onStandby, source.standby === null ? null : Number(source.standby.active));
    setOrRemove(this.#listingSeconds, source.listingSeconds);
    this.#stuck.set(status.stuck === null ? 0 : 1);
    this.#held.set(status.held === null ? 0 : 1);
    this.#heldInfo.reset();
    if (status.held !== null) this.#heldInfo.set({ reason: status.held.reason }, 1);
    this.#waiting.set(status.waiting?.files ?? 0);
    this.#unreadable.set(problems.get('unreadable-object') ?? 0);
    this.#problems.reset();
    for (const [reason, count] of problems) this.#problems.set({ reason }, count);
    this.#cacheBytes.set(cache.bytes);
    this.#cacheLimit.set(cache.limitBytes);
    this.#cacheEntries.set(cache.entries);
    setCounter(this.#cacheHits, cache.hits);
    setCounter(this.#cacheMisses, cache.misses);
    setCounter(this.#cacheEvictions, cache.evictions);
    setCounter(this.#cacheCorrupt, cache.corrupt);
    if (session !== undefined) {
      setCounters(this.#fuseRequests, 'opcode', session.opcodes);
      setCounters(this.#readErrors, 'errno', session.readErrors);
      this.#fuseDurations.set(session.durations);
    }
    setCounter(this.#restarts, status.mount.restarts);
    this.#supervised.set(status.mount.supervised ? 1 : 0);
    this.#ready.set(status.ready ? 1 : 0);
  }

  #declare(name: string, type: MetricDeclaration['type'], help: string, labels: readonly string[]): void {
    const stability = VALUES_CHANGE.has(name) ? 'values change' : 'stable';
    this.#declared.push({ name, type, help, labels, stability });
  }

  #takeRelease(release: Status['release']): void {
    this.#releaseInfo.reset();
    if (release !== null) this.#releaseInfo.set({ ref: release.ref, release: release.id }, 1);
    setOrRemove(this.#releaseSeq, release?.seq);
    setOrRemove(this.#releaseCreated, secondsOf(release?.created));
    setOrRemove(this.#releaseArmed, secondsOf(release?.armed?.at));
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    this.#declare(name, 'gauge', help, labelNames);
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    this.#declare(name, 'counter', help, labelNames);
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: readonly string[]): Histogram {
    this.#declare(name, 'histogram', help, labelNames);
    return new Histogram({
      name,
      help,
      labelNames,
      buckets: [...DURATION_BOUNDS],
      registers: [this.#registry],
    });
  }

  #mirror(name: string, help: string, label: string): MirroredHistogram {
    this.#declare(name, 'histogram', help, [label]);
    const mirror = new MirroredHistogram(name, help, label, DURATION_BOUNDS);
    // What a registry asks of a metric is `name`, `help`, `type` and `get`, of whatever class it is.
    this.#registry.registerMetric(mirror as unknown as Histogram);
    return mirror;
  }
}

/** An unknown value is not exposed: a 0 would be a value. */
function setOrRemove(gauge: Gauge, value: number | null | undefined): void {
  if (value === undefined || value === null) gauge.remove();
  else gauge.set(value);
}

/** Copies a counter kept elsewhere. Synchronous: no scrape sees the 0. */
function setCounter(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}

function setCounters(counter: Counter, label: string, values: Readonly<Record<string, number>>): void {
  counter.reset();
  for (const [value, count] of Object.entries(values)) counter.inc({ [label]: value }, count);
}

function secondsOf(time: string | null | undefined): number | undefined {
  return time === undefined || time === null ? undefined : Date.parse(time) / 1000;
}
