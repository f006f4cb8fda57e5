import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobPath } from '../../src/cache/blob-path.ts';
import { blobRange, chunkCount } from '../../src/cache/chunks.ts';
import { ContentCache } from '../../src/cache/content-cache.ts';
import { ReplacedContent } from '../../src/cache/replaced-content.ts';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { RequestMeter } from '../../src/session/request-meter.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { probeObject } from '../../src/store/probe-object.ts';
import { S3Store } from '../../src/store/s3-store.ts';
import type { Stop } from '../../src/store/stop.ts';
import { EtagWitness } from '../../src/sync/etag-witness.ts';
import type { SyncNotice } from '../../src/sync/notice.ts';
import { noPersistence } from '../../src/sync/persist.ts';
import { Sync } from '../../src/sync/sync.ts';
import { DaemonViews } from '../../src/views/daemon-views.ts';
import type { ByteServer, Step } from '../support/byte-server.ts';
import { FastClock } from '../support/fast-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { FakePresenter } from '../sync/doubles/fake-presenter.ts';
import { Bucket } from './bucket.ts';
import { DirectSource } from './direct-source.ts';
import { type Asked, startScriptedStore } from './scripted-store.ts';
import type { Strikes } from './seen.ts';
import { send } from './wire.ts';

/** How many times faster than real time the mount's time runs. */
const SPEED = 20;
const PREFIX = 'dags/';
/** For content under way and for a page of a listing, in real milliseconds: so soon do endless tries end. */
const CONTENT_DEADLINE_MS = 1_500;
const PAGE_DEADLINE_MS = 1_500;
const SMALL_DEADLINE_MS = 500;
/** For waits without another bound; far above what a busy machine needs. */
const SILENCE_MS = 3_000;
const READ_DEADLINE_MS = 10_000;
/** The bounds of the store's client, in the mount's time. */
const BODY_BOUNDS = { leastBytesPerSecond: 1024 * SPEED, windowMs: 15_000 / SPEED, graceMs: 60_000 / SPEED };

/** The mount fetches this file before it publishes it. */
export const oddPath = 'team/odd.py';
/** Over 8 MiB. Readers ask for its second part. */
export const largePath = 'team/large.zip';
export const changedPath = 'team/dag_03.py';
export const newPath = 'team/new.py';
const largeBytes = 8 * 1024 * 1024 + 300 * 1024;
const dags = Array.from({ length: 9 }, (_, index) => `team/dag_${String(index).padStart(2, '0')}.py`);
/** With these files, one odd file is less than one in a hundred. They cost nothing: an empty file is never fetched. */
const packages = emptyFiles('packages', 120);

let largeBody: Buffer | undefined;

/** What a reader gets of a file, whole, or of its second part. */
export type Read =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly failure: string; readonly code: string }
  | { readonly kind: 'absent' };

/** Runs work that needs much processor time, a few at a time where many labs are opened. */
export type InTurn = <T>(run: () => Promise<T>) => Promise<T>;

const atOnce: InTurn = (run) => run();

/** A store that answers as a test says, and a mount of it without the kernel. */
export class Lab {
  readonly bucket = new Bucket();
  readonly log = new RecordingLog();
  readonly presenter = new FakePresenter();
  readonly notices: SyncNotice[] = [];
  readonly #directory: string;
  readonly #inTurn: InTurn;
  readonly #over = new AbortController();
  #server!: ByteServer;
  #sync!: Sync;
  #views!: DaemonViews;
  #strikes: Strikes | undefined;
  /** The object of the store that the fault strikes. */
  #oneKey = PREFIX + oddPath;
  #struck = 0;
  #version = 1;
  #running: Promise<void> | undefined;

  private constructor(directory: string, inTurn: InTurn) {
    this.#directory = directory;
    this.#inTurn = inTurn;
    setMaxListeners(0, this.#over.signal);
  }

  /** @param more how many empty files to add to the usual ones; they cost nothing */
  static async open(test: Cleanup, more = 0, inTurn: InTurn = atOnce): Promise<Lab> {
    const lab = new Lab(join(await temporaryDirectory(test), 'v1', '0123456789ab'), inTurn);
    await inTurn(() => lab.#compose(test));
    lab.#fill(more);
    return lab;
  }

  get sync(): Sync {
    return this.#sync;
  }

  get views(): DaemonViews {
    return this.#views;
  }

  /** How many requests the fault has struck since it began. */
  get struck(): number {
    return this.#struck;
  }

  /** Shows the first tree, then keeps it up to date with the store. Rejects as Sync.start does. */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#sync.start(this.#over.signal));
    this.#running = this.#sync.run(this.#over.signal).catch((error: unknown) => {
      if (!this.#over.signal.aborted) this.log.error({ event: 'revalidation-failed', err: error });
    });
    this.#sync.ready.catch(() => undefined);
  }

  strike(strikes: Strikes, path: string): void {
    this.#oneKey = PREFIX + path;
    this.#struck = 0;
    this.#strikes = strikes;
  }

  /** Makes the store healthy again, and cuts connections that still wait for it. */
  relent(): void {
    this.#strikes = undefined;
    this.#server.cutAll();
  }

  /** Puts a new version of one file, and a new file. The odd file changes only on request. */
  change(...more: readonly string[]): void {
    this.rewrite(changedPath, newPath, ...more);
  }

  rewrite(...paths: readonly string[]): void {
    this.#version += 1;
    for (const path of paths) this.put(path);
  }

  put(path: string, how: Strikes['put'] = (bucket, key, body) => bucket.put(key, body)): void {
    how(this.bucket, PREFIX + path, bodyOf(path, this.#version));
  }

  /** What the store has under a path now: the whole object, or the second part of the large file. */
  wanted(path: string): Buffer {
    const body = this.bucket.get(PREFIX + path)?.body ?? Buffer.alloc(0);
    return path === largePath ? body.subarray(8 * 1024 * 1024) : body;
  }

  /** Every file that a reader should find, including the odd one and the large one. */
  paths(): readonly string[] {
    return this.bucket.keys.map((key) => key.slice(PREFIX.length)).filter((path) => path.startsWith('team/'));
  }

  /** Whether the file ever had these bytes. */
  everHad(path: string, bytes: Buffer): boolean {
    if (path === largePath) return bytes.equals(this.wanted(path));
    return this.bucket.everHad(PREFIX + path, bytes);
  }

  /** Reads from the shown tree, as the session does for the kernel. */
  async read(path: string): Promise<Read> {
    const generation = this.#sync.shown?.generation;
    const index = generation?.find(path) ?? -1;
    if (generation === undefined || index <= 0) return { kind: 'absent' };
    const version = generation.version(index);
    if (version.size === 0) return { kind: 'bytes', bytes: Buffer.alloc(0) };
    const chunks = chunkCount(version.size);
    const chunk = chunks === undefined ? undefined : chunks - 1;
    const { signal } = this.#over;
    const result = await this.#sync.read(version, chunk, { deadlineMs: READ_DEADLINE_MS, signal });
    if (result.kind === 'error') return result;
    if (result.kind === 'memory') return { kind: 'bytes', bytes: Buffer.from(result.bytes) };
    const { start, end } = blobRange(version.size, chunk);
    const blob = await readFile(blobPath(this.#directory, version.name, chunk));
    return { kind: 'bytes', bytes: blob.subarray(0, end - start) };
  }

  /** The size of the shown file, or undefined where it is not shown. */
  sizeOf(path: string): number | undefined {
    const generation = this.#sync.shown?.generation;
    const index = generation?.find(path) ?? -1;
    return generation === undefined || index <= 0 ? undefined : generation.size(index);
  }

  problems(): readonly { readonly path: string; readonly reason: string; readonly detail: string }[] {
    return this.#views
      .problems()
      .map(({ key, reason, detail }) => ({ path: key.slice(PREFIX.length), reason, detail }));
  }

  get degraded(): readonly string[] {
    return this.#views.status().degraded;
  }

  #fill(more: number): void {
    for (const path of [...packages, ...emptyFiles('more', more)])
      this.bucket.put(PREFIX + path, Buffer.alloc(0));
    for (const path of [...dags, oddPath]) this.put(path);
    this.bucket.put(PREFIX + largePath, bodyOf(largePath, 1), { etag: '5f4dcc3b5aa765d61d8327deb882cf99-2' });
  }

  async #compose(test: Cleanup): Promise<void> {
    const server = await startScriptedStore((asked) => this.#answer(asked), 1 / SPEED);
    this.#server = server;
    defer(test, () => server.close());
    const clock = new FastClock(SPEED);
    const { log } = this;
    const transport = new Transport({
      trusted: undefined,
      proxies: { http: undefined, https: undefined, no: '' },
      connections: 8,
      timeouts: { connect: 5000, firstByte: SILENCE_MS, stall: SILENCE_MS },
    });
    const yielder = {
      sleep: (ms: number, stop: AbortSignal) => clock.sleep(ms, stop).catch(() => undefined),
      random: () => 0.5,
    };
    const shared = { target: targetAt(server.origin), transport, credentials: async () => credentials };
    const witness = new EtagWitness({ recall: () => [], keep: () => undefined }, log);
    const s3Options = {
      ...shared,
      concurrency: 8,
      yielder: yielder as never,
      bodyBounds: BODY_BOUNDS,
      md5: witness.md5,
    };
    const s3 = new S3Store(s3Options);
    defer(test, () => s3.close());
    const content = witness.content(s3);
    const replaced = new ReplacedContent(
      {
        get: (path, options) =>
          content.get(path, { ...options, deadlineMs: options.deadlineMs ?? CONTENT_DEADLINE_MS }),
        getSmall: (path, request) => content.getSmall(path, { ...request, deadlineMs: SMALL_DEADLINE_MS }),
      },
      (path, etag) => this.#sync.contentReplaced(path, etag),
    );
    const cache = await ContentCache.open({
      directory: this.#directory,
      limitBytes: 64 * 1024 * 1024,
      store: replaced,
      lock: () => ({ release: () => undefined }),
      clock,
      log,
    });
    defer(test, () => cache.close());
    const options = {
      source: witness.over(
        new DirectSource({ ...shared, yielder: yielder as never, deadlineMs: PAGE_DEADLINE_MS, clock }),
      ),
      etags: witness,
      cache,
      presenter: this.presenter,
      persister: noPersistence,
      clock,
      log,
      settleMs: 1_000,
      pollMs: 10_000,
      unreadableWaitMs: 60_000,
      probe: (path: string, signal: Stop) => probeObject(s3, path, signal),
      prefetchBytes: 64 * 1024,
      cacheBytes: 64 * 1024 * 1024,
      maxDelete: 0.5,
      allowEmpty: false,
      concurrency: 4,
      notice: (notice: SyncNotice) => void this.notices.push(notice),
      observeStage: () => undefined,
    };
    this.#sync = new Sync(options);
    defer(test, async () => {
      this.#over.abort();
      await this.#running;
    });
    this.#views = new DaemonViews({
      version: 'any',
      pid: process.pid,
      startedAt: new Date().toISOString(),
      mountId: '0123456789ab',
      source: 's3://bucket/dags',
      prefix: PREFIX,
      target: '/mnt',
      sync: this.#sync,
      cache,
      metrics: new Metrics({ version: 'any', node: process.version }),
      counters: () => Promise.reject(new Error('there is no session')),
      meter: new RequestMeter(RequestMeter.memory()),
      isMounted: () => true,
      publications: { stuck: undefined },
      driver: 'kernel',
      supervision: () => ({ supervised: true, restarts: 0, takeover: 'resend' }),
      restart: () => Promise.reject(new Error('there is no supervisor')),
      now: () => clock.now(),
    });
  }

  #answer(asked: Asked): readonly Step[] {
    const strikes = this.#strikes;
    const isList = asked.key === '';
    const fault = isList ? strikes?.list : strikes?.get;
    const { scope = 'one' } = strikes ?? {};
    const isOf =
      scope instanceof RegExp ? scope.test(asked.key) : scope === 'all' || asked.key === this.#oneKey;
    const isStruck = isList || isOf;
    if (fault === undefined || !isStruck) return send(this.bucket.answer(asked));
    const { bucket } = this;
    const plain = strikes?.unconditional === true ? bucket.unconditional(asked) : undefined;
    const struck = this.#struck;
    this.#struck += 1;
    const page = isList ? bucket.page(asked) : undefined;
    return fault(plain ?? bucket.answer(asked), { ...asked, struck, page });
  }
}

const credentials = { accessKeyId: 'THEKEY', secretAccessKey: 'the-secret-access-key' };

function targetAt(origin: string) {
  return {
    bucket: 'bucket',
    prefix: PREFIX,
    origin,
    host: new URL(origin).host,
    basePath: '/bucket/',
    region: 'us-east-1',
    service: 's3',
    endpoint: origin,
    requestPayer: false,
    anonymous: false,
  };
}

function emptyFiles(folder: string, count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) => `${folder}/p${String(index).padStart(4, '0')}/__init__.py`,
  );
}

/** The content of one version of a file. Versions differ in every line, and in length. */
function bodyOf(path: string, version: number): Buffer {
  if (path === largePath) {
    largeBody ??= Buffer.alloc(
      largeBytes,
      'a part of the large file, which no two places have alike? '.repeat(7),
    );
    return largeBody;
  }
  return Buffer.from(`# ${path}, version ${version}\n`.repeat(40 + version));
}
