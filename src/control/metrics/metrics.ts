import { type Counter, collectDefaultMetrics, type Gauge, Registry } from 'prom-client';
import type { Status } from '../shapes/status.ts';
import { type Labels, labelsOf, type MetricDeclaration, MetricDeclarer } from './metric-declarer.ts';
import type { Observations } from './mirrored-histogram.ts';
import { asOpenMetrics } from './open-metrics.ts';

/**
 * prom-client's own metrics that are named like counters but are gauges. Other metrics of prom-client report
 * the same numbers, by type.
 */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The values of a tree. */
export interface TreeSnapshot {
  readonly status: Status;
  /** Number of keys that are not shown as they are, by reason. */
  readonly problems: ReadonlyMap<string, number>;
}

/** The values at the moment of a scrape. */
export interface MetricsSnapshot extends TreeSnapshot {
  /** The values of each tree, if the mount shows several trees. The other fields are then about the mount. */
  readonly trees?: readonly (TreeSnapshot & { readonly tree: string })[] | undefined;
  /** The values of the session; undefined if the session does not answer, so that its last values stay. */
  readonly session:
    | {
        /** Requests of the kernel, by opcode. */
        readonly opcodes: Readonly<Record<string, number>>;
        /** Reads that failed, by errno. */
        readonly readErrors: Readonly<Record<string, number>>;
        /** The durations of answered requests of the kernel, by opcode. */
        readonly durations: ReadonlyMap<string, Observations>;
      }
    | undefined;
}

/** Counts what happens to one tree. */
export interface TreeMeter {
  /** Counts a request to the store that was answered, or failed. */
  request(operation: string, outcome: string, milliseconds: number): void;
  /** Counts bytes that came from the store. */
  bytes(count: number): void;
  /** Records how many seconds a stage of a revalidation took. */
  stage(stage: string, seconds: number): void;
  /** Counts hints that the source may have changed. */
  hint(from: string, outcome: string, count: number): void;
}

/** Every metric of a daemon, declared here and nowhere else: name, type, labels and help. */
export class Metrics {
  readonly #metrics = new MetricDeclarer();

  readonly #buildInfo = this.#metrics.gaugeOfMount('dagmount_build_info', 'The running versions: always 1', [
    'version',
    'node',
  ]);
  readonly #generationInfo = this.#metrics.gauge(
    'dagmount_generation_info',
    'The shown generation: always 1',
    ['generation'],
  );
  readonly #generationNumber = this.#metrics.gauge(
    'dagmount_generation_number',
    'Number of the shown generation; grows by one with each publication',
  );
  readonly #generationPublished = this.#metrics.gauge(
    'dagmount_generation_published_timestamp_seconds',
    'When the shown generation was published',
  );
  readonly #generationFiles = this.#metrics.gauge(
    'dagmount_generation_files',
    'Files of the shown generation',
  );
  readonly #releaseSeq = this.#metrics.gauge(
    'dagmount_release_seq',
    'Number of the step that put the shown release in force; absent if the source is a prefix',
  );
  readonly #releaseInfo = this.#metrics.gauge('dagmount_release_info', 'The shown release: always 1', [
    'ref',
    'release',
  ]);
  readonly #versions = this.#metrics.gaugeOfMount(
    'dagmount_versions',
    'Versions shown beside the current tree; absent without --versions',
  );
  readonly #versionLookups = this.#metrics.counterOfMount(
    'dagmount_version_lookups_total',
    'Lookups of versions that were not shown yet, by outcome',
    ['outcome'],
  );
  readonly #versionLookupsWaiting = this.#metrics.gaugeOfMount(
    'dagmount_version_lookups_waiting',
    'Lookups of versions that wait for the store; absent without --versions',
  );
  readonly #releaseCreated = this.#metrics.gauge(
    'dagmount_release_created_timestamp_seconds',
    "When the step that put the shown release in force was made, by its writer's clock",
  );
  readonly #releaseArmed = this.#metrics.gauge(
    'dagmount_release_armed_timestamp_seconds',
    'When the armed release will be shown; absent if no release is armed',
  );
  readonly #lastSuccess = this.#metrics.gauge(
    'dagmount_source_last_success_timestamp_seconds',
    'When the last successful revalidation began',
  );
  readonly #staleness = this.#metrics.gauge(
    'dagmount_source_staleness_seconds',
    'Time since the last successful revalidation began',
  );
  readonly #failures = this.#metrics.gauge(
    'dagmount_source_consecutive_failures',
    'Revalidations that failed since the last successful one',
  );
  readonly #sourceSlow = this.#metrics.gauge(
    'dagmount_source_slow',
    'Whether the running listing, or the last one, took longer than a minute: 0 or 1',
  );
  readonly #onStandby = this.#metrics.gauge(
    'dagmount_source_on_standby',
    'Whether dagmount reads trees from a standby source: 0 or 1; absent without a standby',
  );
  readonly #listingSeconds = this.#metrics.gauge(
    'dagmount_source_listing_seconds',
    'Time that the running listing has taken, or else the last one took',
  );
  readonly #sourceRequests = this.#metrics.counted(
    'dagmount_source_requests_total',
    'Requests to the store',
    ['operation', 'outcome'],
  );
  readonly #sourceDurations = this.#metrics.histogram(
    'dagmount_source_request_duration_seconds',
    "Time until the head of the store's answer arrives",
    ['operation'],
  );
  readonly #hints = this.#metrics.counted(
    'dagmount_hints_total',
    'Hints that the source may have changed: from the watched key, the queue or the webhook',
    ['from', 'outcome'],
  );
  readonly #sourceBytes = this.#metrics.counted(
    'dagmount_source_bytes_total',
    'Bytes of content and listings received from the store',
  );
  readonly #stages = this.#metrics.histogram(
    'dagmount_publish_duration_seconds',
    'Duration of the stages of a revalidation',
    ['stage'],
  );
  readonly #stuck = this.#metrics.gaugeOfMount(
    'dagmount_publication_stuck',
    'Whether a process keeps the kernel from applying a publication: 0 or 1',
  );
  readonly #held = this.#metrics.gauge('dagmount_held', 'Whether a listing or a ref is held back: 0 or 1');
  readonly #heldInfo = this.#metrics.gauge(
    'dagmount_held_info',
    'Why a listing or a ref is held back: 1 while it is held',
    ['reason'],
  );
  readonly #waiting = this.#metrics.gauge(
    'dagmount_waiting_objects',
    'Unreadable objects that a new tree waits for',
  );
  readonly #unreadable = this.#metrics.gauge(
    'dagmount_unreadable_objects',
    'Shown files whose content the store does not return: reading them fails',
  );
  readonly #problems = this.#metrics.gauge('dagmount_problems', 'Keys that are not shown as they are', [
    'reason',
  ]);
  readonly #cacheBytes = this.#metrics.gauge('dagmount_cache_bytes', 'Bytes of content in the cache');
  readonly #cacheLimit = this.#metrics.gauge(
    'dagmount_cache_limit_bytes',
    'Most bytes of content that the cache may hold',
  );
  readonly #cacheEntries = this.#metrics.gauge('dagmount_cache_entries', 'Blobs in the cache');
  readonly #cacheHits = this.#metrics.counter(
    'dagmount_cache_hits_total',
    'Requests for content that was in the cache',
  );
  readonly #cacheMisses = this.#metrics.counter(
    'dagmount_cache_misses_total',
    'Requests for content that dagmount fetched',
  );
  readonly #cacheEvictions = this.#metrics.counter(
    'dagmount_cache_evictions_total',
    'Blobs that the cache evicted to make room',
  );
  readonly #cacheCorrupt = this.#metrics.counter(
    'dagmount_cache_corrupt_total',
    'Blobs that differed from what was stored',
  );
  readonly #fuseRequests = this.#metrics.counterOfMount(
    'dagmount_fuse_requests_total',
    'Requests of the kernel',
    ['opcode'],
  );
  readonly #fuseDurations = this.#metrics.mirror(
    'dagmount_fuse_request_duration_seconds',
    'Time from reading a request of the kernel to its answer, without IOCTLs, which the transport answers',
    'opcode',
  );
  readonly #readErrors = this.#metrics.counterOfMount('dagmount_read_errors_total', 'Reads that failed', [
    'errno',
  ]);
  readonly #restarts = this.#metrics.counterOfMount('dagmount_restarts_total', 'Restarts of the server');
  readonly #supervised = this.#metrics.gaugeOfMount(
    'dagmount_supervised',
    'Whether a supervisor would start the server again: 0 or 1',
  );
  readonly #ready = this.#metrics.gaugeOfMount(
    'dagmount_ready',
    'Whether a whole tree is mounted and local: 0 or 1',
  );

  /** @param build the version of dagmount, and that of Node.js */
  constructor(build: { readonly version: string; readonly node: string }) {
    collectDefaultMetrics({ register: this.#metrics.registry });
    for (const name of MISNAMED) this.#metrics.registry.removeSingleMetric(name);
    this.#buildInfo.set({ version: build.version, node: build.node }, 1);
  }

  /** The declared metrics, without those of Node.js. */
  get declared(): readonly MetricDeclaration[] {
    return this.#metrics.declared;
  }

  /** Returns the meter of the tree with this path; '' if the tree is the whole mount. */
  of(path: string): TreeMeter {
    const tree = labelsOf(path);
    this.#sourceBytes.inc(tree, 0);
    return {
      request: (operation, outcome, milliseconds) => {
        this.#sourceRequests.inc({ ...tree, operation, outcome });
        this.#sourceDurations.observe({ ...tree, operation }, milliseconds / 1000);
      },
      bytes: (count) => this.#sourceBytes.inc(tree, count),
      stage: (stage, seconds) => this.#stages.observe({ ...tree, stage }, seconds),
      hint: (from, outcome, count) => this.#hints.inc({ ...tree, from, outcome }, count),
    };
  }

  /** Counts hints that are not about one tree alone. */
  hint(from: string, outcome: string, count: number): void {
    this.#hints.inc({ from, outcome }, count);
  }

  /** Returns the metrics in Prometheus' text format, or as OpenMetrics. */
  async expose(
    snapshot: MetricsSnapshot,
    openMetrics = false,
  ): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#take(snapshot);
    const text = await this.#metrics.registry.metrics();
    // Converts the text here, because prom-client's OpenMetrics output strips `_total` from the counters for
    // good: later Prometheus scrapes would lack it.
    if (openMetrics) return { contentType: Registry.OPENMETRICS_CONTENT_TYPE, text: asOpenMetrics(text) };
    return { contentType: this.#metrics.registry.contentType, text };
  }

  #take({ status, problems, session, trees }: MetricsSnapshot): void {
    this.#metrics.forgetSnapshot();
    for (const { tree, ...of } of trees ?? [{ tree: '', status, problems }])
      this.#takeTree(labelsOf(tree), of);
    setOrRemove(this.#versions, {}, status.versions?.shown);
    setOrRemove(this.#versionLookupsWaiting, {}, status.versions?.waiting);
    if (status.versions !== null) setCounters(this.#versionLookups, 'outcome', status.versions.lookups);
    this.#stuck.set(status.stuck === null ? 0 : 1);
    if (session !== undefined) {
      setCounters(this.#fuseRequests, 'opcode', session.opcodes);
      setCounters(this.#readErrors, 'errno', session.readErrors);
      this.#fuseDurations.set(session.durations);
    }
    this.#restarts.reset();
    this.#restarts.inc(status.mount.restarts);
    this.#supervised.set(status.mount.supervised ? 1 : 0);
    this.#ready.set(status.ready ? 1 : 0);
  }

  #takeTree(tree: Labels, { status, problems }: TreeSnapshot): void {
    const { generation, source, cache } = status;
    if (generation !== null) this.#generationInfo.set({ ...tree, generation: generation.id }, 1);
    setOrRemove(this.#generationNumber, tree, generation?.number);
    setOrRemove(this.#generationPublished, tree, secondsOf(generation?.publishedAt));
    setOrRemove(this.#generationFiles, tree, generation?.files);
    this.#takeRelease(tree, status.release);
    setOrRemove(this.#lastSuccess, tree, secondsOf(source.lastSuccessAt));
    setOrRemove(this.#staleness, tree, source.stalenessSeconds);
    this.#failures.set(tree, source.consecutiveFailures);
    this.#sourceSlow.set(tree, status.degraded.includes('source-slow') ? 1 : 0);
    setOrRemove(this.#onStandby, tree, source.standby === null ? null : Number(source.standby.active));
    setOrRemove(this.#listingSeconds, tree, source.listingSeconds);
    this.#held.set(tree, status.held === null ? 0 : 1);
    if (status.held !== null) this.#heldInfo.set({ ...tree, reason: status.held.reason }, 1);
    this.#waiting.set(tree, status.waiting?.files ?? 0);
    this.#unreadable.set(tree, problems.get('unreadable-object') ?? 0);
    for (const [reason, count] of problems) this.#problems.set({ ...tree, reason }, count);
    this.#cacheBytes.set(tree, cache.bytes);
    this.#cacheLimit.set(tree, cache.limitBytes);
    this.#cacheEntries.set(tree, cache.entries);
    this.#cacheHits.inc(tree, cache.hits);
    this.#cacheMisses.inc(tree, cache.misses);
    this.#cacheEvictions.inc(tree, cache.evictions);
    this.#cacheCorrupt.inc(tree, cache.corrupt);
  }

  #takeRelease(tree: Labels, release: Status['release']): void {
    if (release !== null) this.#releaseInfo.set({ ...tree, ref: release.ref, release: release.id }, 1);
    setOrRemove(this.#releaseSeq, tree, release?.seq);
    setOrRemove(this.#releaseCreated, tree, secondsOf(release?.created));
    setOrRemove(this.#releaseArmed, tree, secondsOf(release?.armed?.at));
  }
}

/** Sets a gauge, or removes it if the value is unknown, because a 0 would be a value. */
function setOrRemove(gauge: Gauge, labels: Labels, value: number | null | undefined): void {
  if (value === undefined || value === null) gauge.remove(labels);
  else gauge.set(labels, value);
}

function setCounters(counter: Counter, label: string, values: Readonly<Record<string, number>>): void {
  counter.reset();
  for (const [value, count] of Object.entries(values)) counter.inc({ [label]: value }, count);
}

function secondsOf(time: string | null | undefined): number | undefined {
  return time === undefined || time === null ? undefined : Date.parse(time) / 1000;
}
