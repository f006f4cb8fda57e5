import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { ContentCache } from './cache/content-cache.ts';
import { flockWith } from './cache/directory-lock.ts';
import { mountDirectory } from './cache/private-directory.ts';
import { ReplacedContent } from './cache/replaced-content.ts';
import type { Served, ServeOptions, ServerPort, StoreFinding } from './cli/server-port.ts';
import { ConfigError } from './config/config-error.ts';
import type { MountConfig } from './config/mount-config.ts';
import { mountId } from './config/mount-id.ts';
import { ownProcess, removeMountState, writeMountState } from './config/mount-state.ts';
import { readMounts, topMountAt } from './config/mountinfo.ts';
import { realTarget } from './config/real-target.ts';
import { mountRuntimeDirectory, prepareRuntimeDirectory, runtimeDirectory } from './config/runtime-paths.ts';
import { ownPackage } from './config/version.ts';
import { Metrics } from './control/metrics.ts';
import { openControlPlane } from './control-plane.ts';
import { openKeptState } from './kept-state.ts';
import { ListingClient } from './listing-client.ts';
import type { ListingSetUp } from './listing-messages.ts';
import { MountPlace } from './mount-place.ts';
import { checkMountPoint } from './mount-point.ts';
import { MountPresenter } from './mount-presenter.ts';
import { type Addon, addonPath, loadAddon } from './session/kernel/addon.ts';
import { createMounter, type Mounter } from './session/kernel/mounting.ts';
import type { FetchResult } from './session/messages.ts';
import { MountError } from './session/mount-error.ts';
import { SessionClient } from './session/session-client.ts';
import type { S3Store } from './store/s3-store.ts';
import { Sync, type SyncOptions } from './sync/sync.ts';
import { systemClock } from './sync/system-clock.ts';
import { waitForStore } from './sync/wait-for-store.ts';
import type { WatchedKey } from './sync/watch.ts';
import type { ContentVersion } from './tree/index.ts';

/** As ServerPort has it. */
export async function* probeStore(
  ...probe: Parameters<ServerPort['probeStore']>
): AsyncIterable<StoreFinding> {
  yield* (await import('./store-probe.ts')).probeStore(...probe);
}

/** Resolves to the file that the native addon was loaded from; rejects with MountError. */
export async function checkTransport(): Promise<string> {
  loadAddon();
  return addonPath();
}

/** Unmounts as this user can; rejects with MountError, or with the errno of umount2(2) as `code`. */
export async function unmount(target: string, { lazy }: { readonly lazy: boolean }): Promise<void> {
  createMounter(loadAddon()).unmount(target, lazy);
}

const PROGRESS_MS = 100;
const FAILED_READS_MS = 1_000;
const WATCH_DEADLINE_MS = 10_000;

/**
 * Mounts and serves until it is told to stop, or until somebody unmounts it. Rejects with MountError, StoreError,
 * CacheError, ConfigError, SettingError or SyncError when it cannot begin or go on; nothing is left behind then.
 */
export async function serve(
  config: MountConfig,
  options: ServeOptions,
  parts: Parts = asTheyAre,
): Promise<Served> {
  const endings: Ending[] = [];
  try {
    return await new Server(config, options, parts, (ending) => endings.push(ending)).run();
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** The parts that a revalidation runs over, each as it is used: one may be put before another. */
export type Parts = (
  parts: Pick<SyncOptions, 'lister' | 'cache' | 'presenter' | 'persister'>,
) => Pick<SyncOptions, 'lister' | 'cache' | 'presenter' | 'persister'>;

const asTheyAre: Parts = (parts) => parts;

type Ending = () => unknown;

class Server {
  readonly #config: MountConfig;
  readonly #options: ServeOptions;
  readonly #parts: Parts;
  readonly #atEnd: (ending: Ending) => void;
  readonly #id: string;
  readonly #metrics = new Metrics({ version: ownPackage().version, node: process.version });
  readonly #startedAt = new Date().toISOString();
  readonly #runtimeDirectory: string;
  #socket: string | null = null;
  /** Aborted when the connection with the kernel is over. */
  readonly #ended = new AbortController();
  /** Aborted when somebody took a mount away that is still in use. */
  readonly #detached = new AbortController();
  /** Aborted, with the error, when serving cannot go on. */
  readonly #failed = new AbortController();

  /** Whether the kernel holds a mount of ours. */
  #mounted = false;
  #failedReads = 0;
  #toldOfFailedReads = Number.NEGATIVE_INFINITY;

  constructor(config: MountConfig, options: ServeOptions, parts: Parts, atEnd: (ending: Ending) => void) {
    const { endpointUrl: endpoint, bucket, prefix, target } = config;
    this.#config = config;
    this.#options = options;
    this.#parts = parts;
    this.#atEnd = atEnd;
    this.#id = mountId({ endpoint, bucket, prefix, target });
    this.#runtimeDirectory = runtimeDirectory({ uid: process.geteuid?.() ?? 0, env: process.env });
  }

  async run(): Promise<Served> {
    const { target, source } = this.#config;
    const addon = loadAddon();
    const mounter = createMounter(addon);
    const { stale } = await checkMountPoint(target, source, topMountAt(readMounts(), target));
    requireApart(this.#config);
    prepareRuntimeDirectory(this.#runtimeDirectory, process.geteuid?.() ?? 0);

    const { log, stop } = this.#options;
    const place = new MountPlace(target, mounter, log);
    const signals = [stop, this.#ended.signal, this.#detached.signal, this.#failed.signal];
    const over = AbortSignal.any(signals);
    const { sync, session, presenter, cache } = await this.#compose(addon, mounter, place, stale);
    const control = await openControlPlane({
      config: this.#config,
      runtimeDirectory: this.#runtimeDirectory,
      log,
      startedAt: this.#startedAt,
      mountId: this.#id,
      sync,
      cache,
      metrics: this.#metrics,
      counters: () => session.counters(),
      isMounted: () => presenter.mounted && !over.aborted,
    });
    this.#atEnd(() => control.close());
    this.#socket = control.socket;
    const progress = setInterval(() => this.#reportProgress(sync), PROGRESS_MS);
    try {
      const waiting = { waitMs: this.#config.waitForStoreMs, clock: systemClock, log };
      await waitForStore(() => sync.start(over), waiting, over);
      this.#options.onRefreshAsked(() => void sync.refresh().catch(() => undefined));
      sync.ready.then(
        () => this.#onReady(sync),
        (error: unknown) => this.#onNeverReady(error, sync),
      );
      await sync.run(over);
    } catch (error) {
      if (!over.aborted) throw error;
    } finally {
      clearInterval(progress);
      if (presenter.mounted) {
        await place.giveUp(this.#ended.signal);
        this.#mounted = false;
        log.info({ event: 'upcalls', ...(await session.counters()) }, 'upcalls');
        log.info({ event: 'unmounted', target, leftOut: sync.view.problems.length }, 'unmounted');
      }
      await session.stop();
    }
    this.#failed.signal.throwIfAborted();
    return { outcome: stop.aborted ? 'stopped' : 'unmounted-outside' };
  }

  async #compose(addon: Addon, mounter: Mounter, place: MountPlace, replacesStale: boolean) {
    const config = this.#config;
    const { log } = this.#options;
    const { target, source, allowOther, uid, gid, umask, concurrency } = config;
    // They start while this thread loads the store, which takes longer than all the rest.
    const sessionWorker = this.#startWorker('./session-worker.js');
    const listingWorker = this.#startWorker('./listing-worker.js');
    const { connectStore, S3Store } = await import('./store-connection.ts');
    const connection = await connectStore(config);
    const store = new S3Store({ ...connection, concurrency, observer: this.#metrics });
    this.#atEnd(() => store.close());

    const cacheDirectory = mountDirectory(config.cacheDir, this.#id);
    const cache = await ContentCache.open({
      directory: cacheDirectory,
      limitBytes: config.cacheSizeBytes,
      store: new ReplacedContent(store, (path, etag) => sync.contentReplaced(path, etag)),
      lock: flockWith((path) => addon.lockFile(path)),
      clock: systemClock,
      log,
    });
    this.#atEnd(() => cache.close());
    const { store: persister, restored } = await openKeptState({
      config,
      mountId: this.#id,
      runtimeDirectory: mountRuntimeDirectory(this.#runtimeDirectory, this.#id),
      cacheDirectory,
      clock: systemClock,
      log,
    });
    this.#atEnd(() => persister.close({ unmounted: !this.#mounted }));

    const setUp: ListingSetUp = {
      target: connection.target,
      transport: connection.settings,
      filter: { include: config.include, exclude: config.exclude },
      salt: restored?.generation.salt ?? randomBytes(8).readBigUInt64LE(),
    };
    const lister = new ListingClient(listingWorker, setUp, connection.credentials, log, this.#metrics);

    const session = new SessionClient(sessionWorker, {
      fetch: (version, chunk, signal) => this.#read(sync, version, chunk, signal),
      released: (nodeIds) => presenter.released(nodeIds),
      fault: (opcode, error) => log.error({ opcode, error }, 'a request failed unforeseen'),
      ended: (reason) => this.#onEnded(reason),
    });
    const presenter = new MountPresenter({
      session,
      mounter,
      target,
      source,
      prefix: config.prefix,
      allowOther,
      replacesStale,
      presentation: { uid, gid, umask },
      cacheDirectory,
      log,
      onMounted: (protocolMinor) => this.#onMounted(mounter, place, protocolMinor),
    });
    const syncOptions: SyncOptions = {
      ...this.#parts({ lister, cache, presenter, persister }),
      clock: systemClock,
      log,
      pollMs: config.pollIntervalMs,
      settleMs: config.settleMs,
      watchedKey: watchedKeyOf(config.watchKey, store),
      maxDelete: config.maxDelete,
      allowEmpty: config.allowEmpty,
      prefetchBytes: config.prefetchBytes,
      cacheBytes: config.cacheSizeBytes,
      concurrency,
      observeStage: (stage, seconds) => {
        this.#metrics.stage(stage, seconds);
        log.debug({ stage, seconds }, 'stage');
      },
    };
    const sync: Sync = new Sync(syncOptions, restored);
    return { sync, session, presenter, cache };
  }

  #startWorker(file: string): Worker {
    const worker = new Worker(new URL(file, import.meta.url));
    this.#atEnd(() => worker.terminate());
    return worker;
  }

  async #read(
    sync: Sync,
    version: ContentVersion,
    chunk: number | undefined,
    signal: AbortSignal,
  ): Promise<FetchResult> {
    const result = await sync.read(version, chunk, { deadlineMs: this.#config.readDeadlineMs, signal });
    if (result.kind !== 'error') return result;
    const { errno, code } = result;
    this.#tellOfFailedRead({ path: version.path, errno, code });
    return { kind: 'error', errno };
  }

  /** A scan in an outage fails file by file: one line a second stands for all. */
  #tellOfFailedRead(fields: object): void {
    this.#failedReads += 1;
    const now = performance.now();
    if (now - this.#toldOfFailedReads < FAILED_READS_MS) return;
    this.#options.log.warn({ ...fields, failures: this.#failedReads }, 'reads failed');
    this.#toldOfFailedReads = now;
    this.#failedReads = 0;
  }

  #onMounted(mounter: Mounter, place: MountPlace, protocolMinor: number): void {
    const { target, source } = this.#config;
    this.#mounted = true;
    const { readahead } = place.taken(() => this.#detached.abort());
    this.#announce(false);
    this.#options.log.info(
      { event: 'mounted', source, target, by: mounter.method, protocol: `7.${protocolMinor}`, readahead },
      'mounted',
    );
  }

  /** Nothing can be read at all: the end of a first start, but no reason to take away a tree that was there before. */
  #onNeverReady(error: unknown, sync: Sync): void {
    if (!sync.isRestored) this.#failed.abort(error);
  }

  #onReady(sync: Sync): void {
    const { generation, cacheTooSmall } = sync.view;
    this.#announce(true);
    this.#options.log.info({ event: 'ready', generation, cacheTooSmall }, 'ready');
    this.#options.onReady();
  }

  #announce(ready: boolean): void {
    const { target, source } = this.#config;
    const directory = this.#runtimeDirectory;
    if (!ready) this.#atEnd(() => removeMountState(directory, this.#id));
    writeMountState(directory, this.#id, {
      ...ownProcess(),
      source,
      target,
      ready,
      startedAt: this.#startedAt,
      socket: this.#socket,
    });
  }

  #reportProgress({ view }: Sync): void {
    const { generation, pending, ready } = view;
    this.#options.onProgress({
      phase: generation === undefined ? 'listing' : ready ? 'ready' : 'prefetch',
      totalFiles: generation?.files ?? 0,
      totalBytes: generation?.bytes ?? 0,
      ...pending,
    });
  }

  #onEnded(reason: string | undefined): void {
    if (reason !== undefined) {
      this.#failed.abort(
        new MountError(
          'session-failed',
          `The session with the kernel broke off (${reason}).`,
          'Mount again; the log says more at --log-level debug.',
        ),
      );
    }
    this.#ended.abort();
  }
}

function watchedKeyOf(key: string | undefined, store: S3Store): WatchedKey | undefined {
  if (key === undefined) return undefined;
  // Tried for as long as a page of a listing, which it stands for.
  const options = { priority: 'background', deadlineMs: WATCH_DEADLINE_MS } as const;
  return {
    key,
    look: async (etag, signal) => (await store.headUnless(etag, key, { ...options, signal }))?.etag,
  };
}

/** A cache below the mount point would be hidden by the mount, and reached through it by who serves it. */
function requireApart({ cacheDir, target }: MountConfig): void {
  const cache = realTarget(cacheDir, '/');
  if (cache !== target && !cache.startsWith(`${target}/`)) return;
  throw new ConfigError(
    'bad-value',
    `cache-dir cannot be ${cacheDir}: it lies in the mount point ${target}.`,
    'Name a directory outside of it with --cache-dir.',
  );
}
