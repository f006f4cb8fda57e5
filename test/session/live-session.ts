import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Driver, DriverName } from '../../src/session/driver.ts';
import { FuseNativeDriver } from '../../src/session/fuse-native/fuse-native-driver.ts';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { KernelDriver } from '../../src/session/kernel/kernel-driver.ts';
import { createMounter } from '../../src/session/kernel/mounting.ts';
import type { FetchResult, NotifyOutcome, StuckNotification } from '../../src/session/messages.ts';
import { SessionClient } from '../../src/session/session-client.ts';
import {
  buildGeneration,
  type ContentVersion,
  type Generation,
  type ListedObjects,
  PathFilter,
  PatternList,
  setPublishTime,
} from '../../src/tree/index.ts';
import { testedDriver } from '../support/driver.ts';
import { mountCallImpossible } from '../support/privileges.ts';

const run = promisify(execFile);
const DEADLINE_MS = 20_000;

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Why a real mount cannot be made here; false where it can. */
export function unmountable(): string | false {
  if (process.platform !== 'linux') return 'the kernel driver is for Linux';
  return mountCallImpossible;
}

async function driverOf(name: DriverName): Promise<Driver> {
  if (name === 'fuse-native') {
    return await FuseNativeDriver.start(new URL('../../src/entry/fuse-native-process.js', import.meta.url));
  }
  return new KernelDriver(
    createMounter(loadAddon()),
    new URL('../../src/entry/session-worker.js', import.meta.url),
  );
}

export interface LiveOptions {
  /** As the secret of a mount whose state was kept, or was not. */
  readonly salt?: bigint;
  /** As --executable; `executable` changes it for the next publication. */
  readonly executable?: readonly string[];
}

/** A mount served by a real session, over a tree and contents held in memory. No store, no cache. */
export class LiveSession {
  readonly target: string;
  readonly fetched: string[] = [];
  readonly released: number[] = [];
  readonly stuck: (StuckNotification | undefined)[] = [];
  /** What a reader's miss is answered with; by default the content itself. */
  answer: ((version: ContentVersion, signal: AbortSignal) => Promise<FetchResult>) | undefined;
  ended: string | undefined | 'open' = 'open';
  executable: readonly string[];
  readonly #salt: bigint;
  readonly #client: SessionClient;
  readonly #contents = new Map<string, Buffer>();
  readonly #driver: Driver;
  #generation: Generation;
  #nextNodeId: number;
  #seconds = 1_700_000_000;
  readonly #removedDirectories = new Map<string, number>();

  static async start(
    files: Files,
    name: DriverName = testedDriver,
    target = mkdtempSync(join(tmpdir(), 'dagmount-test-session-')),
    options: LiveOptions = {},
  ): Promise<LiveSession> {
    const session = new LiveSession(files, await driverOf(name), target, options);
    const connection = session.#driver.connect({
      target: session.target,
      source: 's3://test/',
      allowOther: false,
      replacesStale: false,
    });
    const fingerprints = new BigUint64Array(new SharedArrayBuffer(8 * session.#generation.entries));
    await session.#client.start({
      connection,
      shown: {
        generation: session.#generation.buffer,
        fingerprints: fingerprints.buffer as SharedArrayBuffer,
      },
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      naming: { source: 's3://test/in/', keyPrefix: 'in/' },
      // Nothing is in it; never the mount itself, which its own process must not touch.
      cacheDirectory: `${session.target}-cache`,
    });
    return session;
  }

  private constructor(files: Files, driver: Driver, target: string, options: LiveOptions) {
    this.#salt = options.salt ?? 7n;
    this.executable = options.executable ?? [];
    this.#driver = driver;
    this.target = target;
    const built = this.#build(files, undefined, 2);
    this.#generation = built.generation;
    this.#nextNodeId = built.nextNodeId;
    this.#client = new SessionClient(driver.session, {
      fetch: async (version, _chunk, signal) => {
        this.fetched.push(version.path);
        if (this.answer !== undefined) return this.answer(version, signal);
        const bytes = this.#contents.get(`${version.path} ${version.etag}`);
        return bytes === undefined ? { kind: 'error', failure: 'replaced' } : { kind: 'memory', bytes };
      },
      fault: (opcode, error) => {
        throw new Error(`${opcode}: ${error}`);
      },
      stuck: (stuck) => this.stuck.push(stuck),
      released: (nodeIds) => this.released.push(...nodeIds),
      ended: (errno) => {
        this.ended = errno;
      },
    });
  }

  /** Publishes the whole tree anew; resolves when the kernel has answered the notifications. */
  async publish(files: Files): Promise<NotifyOutcome> {
    const previous = this.#generation;
    const built = this.#build(files, previous, this.#nextNodeId);
    const { generation, changes } = built;
    if (changes === undefined) throw new Error('no changes against a previous generation');
    for (const index of changes.removed) {
      if (previous.isDirectory(index))
        this.#removedDirectories.set(previous.path(index), previous.nodeId(index));
    }
    this.#seconds += 2;
    setPublishTime(generation, changes, { seconds: this.#seconds, nanoseconds: 5 }, 1);
    this.#generation = generation;
    this.#nextNodeId = built.nextNodeId;
    const fingerprints = new BigUint64Array(new SharedArrayBuffer(8 * generation.entries));
    return this.#client.publish({ generation, fingerprints, changes });
  }

  /** Ends where it runs as an accident would. */
  killProcess(): void {
    void this.#driver.session.terminate();
  }

  counters() {
    return this.#client.counters();
  }

  /** Runs a shell command in a child process, the mount as its directory, under a deadline. */
  async sh(script: string): Promise<string> {
    const { stdout } = await run(
      'timeout',
      ['-s', 'KILL', '20', 'sh', '-c', `cd "$0" && ${script}`, this.target],
      {
        timeout: DEADLINE_MS,
        encoding: 'utf8',
      },
    );
    return stdout;
  }

  python(script: string): Promise<string> {
    return this.sh(`python3 - <<'PYTHON'\n${script}\nPYTHON`);
  }

  async close(): Promise<void> {
    this.#driver.unmount(this.target, true);
    await this.#client.stop();
    rmdirSync(this.target);
  }

  #build(files: Files, previous: Generation | undefined, nextNodeId: number) {
    for (const [path, content] of Object.entries(files)) {
      const bytes = Buffer.from(content);
      this.#contents.set(`${path} ${md5(bytes)}`, bytes);
    }
    return buildGeneration({
      objects: listing(files),
      filter: PathFilter.compile({ include: [], exclude: [] }),
      executable: PatternList.compile(this.executable),
      previous,
      removedDirectories: this.#removedDirectories,
      nextNodeId,
      salt: this.#salt,
      now: this.#seconds * 1000,
    });
  }
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function listing(files: Files): ListedObjects {
  const rows = Object.entries(files).map(([path, content]) => ({ path, bytes: Buffer.from(content) }));
  const keys = rows.map(({ path }) => Buffer.from(path));
  const ends = (parts: readonly Uint8Array[]): Uint32Array => {
    let end = 0;
    return Uint32Array.from(parts, (part) => {
      end += part.length;
      return end;
    });
  };
  const etags = rows.map(({ bytes }) => Buffer.from(md5(bytes), 'latin1'));
  return {
    count: rows.length,
    keys: Buffer.concat(keys),
    keyEnds: ends(keys),
    sizes: Float64Array.from(rows, ({ bytes }) => bytes.length),
    lastModified: Float64Array.from(rows, () => 1_600_000_000_000),
    etags: Buffer.concat(etags),
    etagEnds: ends(etags),
    archived: new Uint8Array(rows.length),
  };
}
