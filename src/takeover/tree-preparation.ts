import { Worker } from 'node:worker_threads';
import type { Entries } from '../base/entries.ts';
import type { Logger } from '../base/logger.ts';
import { settledWithin } from '../base/waiting.ts';
import { blobRange } from '../cache/chunks.ts';
import { type ContentStore, contentOf, receive } from '../cache/receive.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { rememberFailure } from '../source/worker/source-client.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import type { Md5Trust } from '../store/md5-trust.ts';
import type { S3Store } from '../store/s3-store.ts';
import type { FetchPlanner } from '../sync/ports.ts';
import { PathFilter, PatternList } from '../tree/index.ts';
import { type FetchEarly, SessionGate } from './session-gate.ts';

/**
 * V8 collects (scavenges) a thread's new garbage when it has grown to a third of this limit, whose default is
 * 48 MB. Measured in a separate process, 20 manifests of 3,000 files left 51 MB more resident with the
 * default, and 26 MB with 4 MB. Listings do not count, because they are columns in buffers.
 */
const SOURCE_LIMITS = { maxYoungGenerationSizeMb: 4 };

/** How long the cache waits for the store to be connected: its credentials may come from a slow source. */
const CONNECT_MS = 2_000;

/** How the contents of a source are fetched from a store. */
export interface SourceContent {
  /** Decides whether a whole body can be checked against an ETag. */
  readonly md5: Pick<Md5Trust, 'of'>;
  content(store: S3Store): {
    readonly content: ContentStore;
    readonly planner: FetchPlanner | undefined;
    readonly close: () => void;
  };
}

export interface TreePreparationOptions {
  readonly config: MountConfig;
  readonly source: SourceContent;
  readonly log: Logger;
  /** Observes each request to the store. */
  readonly observer: () => Promise<RequestObserver>;
  readonly atEnd: (ending: () => unknown) => void;
  /** The entry modules of the threads. */
  readonly entries: Pick<Entries, 'sourceWorker'>;
}

export type PreparedTree = ReturnType<typeof prepareTree>;

/**
 * Returns functions that start what readers of a tree would otherwise wait for: source worker, and connection
 * to the store. They touch nothing that another server may use.
 */
export function prepareTree(options: TreePreparationOptions) {
  const { config, source, log, observer, atEnd, entries } = options;
  // A malformed pattern throws here, before it throws in a worker, and before a mount is made.
  PathFilter.compile(config);
  PatternList.compile(config.executable);
  const startSourceWorker = (): Worker => {
    const worker = new Worker(entries.sourceWorker, { resourceLimits: SOURCE_LIMITS });
    rememberFailure(worker);
    atEnd(() => worker.terminate());
    return worker;
  };
  let first: Worker | undefined;
  /** Starts the worker of the tree's first source at the first call. Later calls return the same worker. */
  const sourceWorker = (): Worker => {
    first ??= startSourceWorker();
    return first;
  };
  const connect = async () => {
    const { connectStore, S3Store } = await import('../source/prefix/store-connection.ts');
    const connection = await connectStore(config);
    const { ignored } = connection;
    if (ignored !== undefined) log.warn({ event: 'setting-ignored', hint: ignored.hint }, ignored.message);
    const { concurrency } = config;
    const options = { concurrency, observer: await observer(), md5: source.md5 };
    const store = new S3Store({ ...connection, ...options });
    atEnd(() => store.close());
    const { content, planner, close } = source.content(store);
    atEnd(close);
    return { ...connection, store, content, planner };
  };
  let connection: ReturnType<typeof connect> | undefined;
  /**
   * Connects the store at the first call. Loading the SDK takes longest. Later calls return the same promise.
   */
  const connected = () => {
    connection ??= connect();
    connection.catch(() => undefined);
    return connection;
  };
  /**
   * Resolves when the store is connected, or after CONNECT_MS. The cache is opened only then, because readers
   * of a successor may wait for the store. If the cache were opened at the same time, on the same thread,
   * these readers would wait twice as long.
   */
  const soonConnected = (): Promise<void> => settledWithin(connected(), CONNECT_MS);
  const fetchEarly: FetchEarly = async (version, chunk, signal) => {
    const { content } = await connected();
    const range = blobRange(version.size, chunk);
    return contentOf(await receive(content, version, chunk, range, { signal, priority: 'demand' }));
  };
  const gate = new SessionGate(fetchEarly);
  return { connected, soonConnected, sourceWorker, startSourceWorker, gate };
}
