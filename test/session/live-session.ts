import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Connection } from '../../src/session/connection.ts';
import type { Driver, DriverName } from '../../src/session/driver.ts';
import { FuseNativeDriver } from '../../src/session/fuse-native/fuse-native-driver.ts';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { JOURNAL_BYTES } from '../../src/session/kernel/journal.ts';
import { KernelDriver } from '../../src/session/kernel/kernel-driver.ts';
import { createMounter } from '../../src/session/kernel/mounting.ts';
import type {
  FetchResult,
  Moment,
  MountedTree,
  NotifyOutcome,
  Serving,
  StuckNotification,
  Takeover,
  VersionAnswer,
} from '../../src/session/messages.ts';
import { SessionClient } from '../../src/session/session-client.ts';
import type { SessionEnd } from '../../src/session/session-end.ts';
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
import { BESIDE, isReleased, TREE, testsTrees, treeAt } from '../support/shape.ts';

const run = promisify(execFile);
const DEADLINE_MS = 20_000;

const MADE_AT: Moment = { seconds: 1_600_000_000, nanoseconds: 0 };

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Why this host cannot make a real mount; false where it can. */
export function unmountable(): string | false {
  if (process.platform !== 'linux') return 'the kernel driver is for Linux';
  return mountCallImpossible;
}

async function driverOf(name: DriverName, takeover: LiveOptions['takeover']): Promise<Driver> {
  if (name === 'fuse-native') {
    return await FuseNativeDriver.start(new URL('../../src/entry/fuse-native-process.js', import.meta.url));
  }
  const worker =
    takeover === 'journal' ? '../support/entries/without-resend.js' : '../../src/entry/session-worker.js';
  return new KernelDriver(createMounter(loadAddon()), new URL(worker, import.meta.url));
}

export interface LiveOptions {
  /** The secret of the mount: the same if the mount's state was kept, another one if it was not. */
  readonly salt?: bigint;
  /** As --executable. Set `executable` to change it for the next publication. */
  readonly executable?: readonly string[];
  /** The versions beside the current tree, by id, found by look-ups. Undefined: none, and the tree is the mount. */
  readonly versions?: Readonly<Record<string, Files>> | undefined;
  /** How the session's successor learns what is unanswered, where there will be one. For the kernel driver alone. */
  readonly takeover?: 'resend' | 'journal';
}

/** A mount served by a real session, over a tree and contents held in memory. No store, no cache. */
export class LiveSession {
  readonly target: string;
  readonly fetched: string[] = [];
  readonly released: number[] = [];
  readonly stuck: (StuckNotification | undefined)[] = [];
  /** Answers a reader's miss; by default with the content itself. */
  answer: ((version: ContentVersion, signal: AbortSignal) => Promise<FetchResult>) | undefined;
  /** Answers a look-up of a version; undefined: the given versions answer it. */
  findVersion: ((id: string, signal: AbortSignal) => Promise<VersionAnswer | undefined>) | undefined;
  /** The ids of versions that were looked up. */
  readonly sought: string[] = [];
  readonly used: string[] = [];
  ended: SessionEnd | undefined;
  executable: readonly string[];
  readonly #salt: bigint;
  #client: SessionClient;
  readonly #contents = new Map<string, Buffer>();
  #driver: Driver;
  readonly #options: LiveOptions;
  #kept: Kept | undefined;
  #generation: Generation;
  #nextNodeId: number;
  #seconds = 1_700_000_000;
  readonly #versions: LiveOptions['versions'];
  readonly #directory: string;
  /** Whether the mount has another tree beside this one. */
  readonly #isBeside: boolean;
  #slots = 0;
  readonly #removedDirectories = new Map<string, number>();

  static async start(
    files: Files,
    name: DriverName = testedDriver,
    target = mkdtempSync(join(tmpdir(), 'dagmount-test-session-')),
    options: LiveOptions = {},
  ): Promise<LiveSession> {
    const session = new LiveSession(files, await driverOf(name, options.takeover), target, options);
    const connection = session.#driver.connect({
      target: session.target,
      source: 's3://test/',
      allowOther: false,
      replacesStale: false,
    });
    const journal = options.takeover === undefined ? undefined : loadAddon().createMemory(JOURNAL_BYTES);
    const device =
      connection.kind === 'device' && options.takeover !== undefined ? copyOf(connection.fd) : undefined;
    const { init } = await session.#start(connection, journal, undefined);
    if (device !== undefined) session.#kept = { device, journal, init };
    return session;
  }

  /** Ends the session as a crash would, and has a new one take over the connection. The new one knows no versions. */
  async takeOver(): Promise<void> {
    if (this.#kept === undefined) throw new Error('nothing was kept');
    const { device, journal, init } = this.#kept;
    await this.#driver.session.terminate();
    this.#driver = await driverOf('kernel', this.#options.takeover);
    this.#client = this.#newClient(this.#driver);
    const takeover = { init };
    await this.#start({ kind: 'device', fd: copyOf(device) }, journal, takeover);
    this.#client.mainIsThere();
  }

  #start(
    connection: Connection,
    journal: number | undefined,
    takeover: Takeover | undefined,
  ): Promise<Serving> {
    const fingerprints = new SharedArrayBuffer(8 * this.#generation.entries);
    const cacheDirectory = `${this.target}-cache`;
    return this.#client.start({
      connection,
      trees: [
        ...(this.#isBeside ? [this.#treeBeside(cacheDirectory)] : []),
        {
          path: this.#isBeside ? TREE : '',
          naming: { source: 's3://test/in/', keyPrefix: 'in/' },
          // Nothing is in this directory. It is never the mount, which the process that serves it must not touch.
          cacheDirectory,
          shown: {
            generation: this.#generation.buffer,
            fingerprints,
            since: { seconds: 0, nanoseconds: 0 },
          },
        },
      ],
      versions: this.#versions && { versions: [], madeAt: MADE_AT, changedAt: MADE_AT },
      presentation: { uid: 0, gid: 0, umask: 0o222 },
      cacheDirectory,
      journal,
      takeover,
    });
  }

  /** This tree has the number 0, and the tested tree the number 1. */
  #treeBeside(cacheDirectory: string): MountedTree {
    const { generation } = this.#build({ 'other.py': 'other' }, undefined, 2, new Map());
    setPublishTime(generation, undefined, { seconds: 1_600_000_000, nanoseconds: 0 }, 1);
    return {
      path: BESIDE,
      naming: { source: 's3://test/beside/', keyPrefix: 'beside/' },
      cacheDirectory,
      shown: {
        generation: generation.buffer,
        fingerprints: new SharedArrayBuffer(8 * generation.entries),
        since: { seconds: 0, nanoseconds: 0 },
      },
      left: undefined,
    };
  }

  get #number(): number {
    return this.#isBeside ? 1 : 0;
  }

  private constructor(files: Files, driver: Driver, target: string, options: LiveOptions) {
    this.#salt = options.salt ?? 7n;
    const isOfShape = options.versions === undefined;
    this.#versions = isOfShape && isReleased ? {} : options.versions;
    this.#isBeside = isOfShape && testsTrees;
    this.#directory = isOfShape ? treeAt(target) : target;
    this.#options = options;
    this.executable = options.executable ?? [];
    this.#driver = driver;
    this.target = target;
    const built = this.#build(files, undefined, 2);
    this.#generation = built.generation;
    this.#nextNodeId = built.nextNodeId;
    this.#client = this.#newClient(driver);
  }

  #newClient(driver: Driver): SessionClient {
    const client = new SessionClient(driver.session, {
      fetch: async (_tree, version, _chunk, signal) => {
        this.fetched.push(version.path);
        if (this.answer !== undefined) return this.answer(version, signal);
        const bytes = this.#contents.get(`${version.path} ${version.etag}`);
        return bytes === undefined ? { kind: 'error', failure: 'replaced' } : { kind: 'memory', bytes };
      },
      findVersion: async (id, _reader, signal) => {
        this.sought.push(id);
        return (await this.findVersion?.(id, signal)) ?? this.versionOf(id);
      },
      versionUsed: (id) => this.used.push(id),
      fault: (opcode, error) => {
        throw new Error(`${opcode}: ${error}`);
      },
      stuck: (stuck) => this.stuck.push(stuck),
      released: (_tree, nodeIds) => this.released.push(...nodeIds),
      ended: (end) => {
        this.ended = end;
      },
    });
    client.answerRootAttributes(this.#number, (attribute) => (attribute === 'seq' ? '42' : undefined));
    return client;
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
    return this.#client.publish(this.#number, { generation, fingerprints, changes });
  }

  /** Ends the session's process or thread as a crash would. */
  killProcess(): void {
    void this.#driver.session.terminate();
  }

  counters() {
    return this.#client.counters();
  }

  /** The next mtime of `versions/`. */
  get moment(): Moment {
    this.#seconds += 2;
    return { seconds: this.#seconds, nanoseconds: 0 };
  }

  /** What the given versions have under an id. */
  versionOf(id: string): VersionAnswer {
    const files = this.#versions?.[id];
    if (files === undefined) return { kind: 'absent' };
    const { generation } = this.#build(files, undefined, 2, new Map());
    const fingerprints = new SharedArrayBuffer(8 * generation.entries);
    const version = { id, slot: this.#slots++, generation: generation.buffer, fingerprints };
    return { kind: 'found', version, changedAt: this.moment };
  }

  dropVersion(id: string): Promise<boolean> {
    return this.#client.dropVersion(id, this.moment);
  }

  /** Runs a shell command in a child process, with a deadline, in the mount or in the tree of the tested shape. */
  async sh(script: string): Promise<string> {
    const { stdout } = await run(
      'timeout',
      ['-s', 'KILL', '20', 'sh', '-c', `cd "$0" && ${script}`, this.#directory],
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
    if (this.#kept !== undefined) closeSync(this.#kept.device);
    rmdirSync(this.target);
  }

  #build(
    files: Files,
    previous: Generation | undefined,
    nextNodeId: number,
    removedDirectories: ReadonlyMap<string, number> = this.#removedDirectories,
  ) {
    for (const [path, content] of Object.entries(files)) {
      const bytes = Buffer.from(content);
      this.#contents.set(`${path} ${md5(bytes)}`, bytes);
    }
    return buildGeneration({
      objects: listing(files),
      filter: PathFilter.compile({ include: [], exclude: [] }),
      executable: PatternList.compile(this.executable),
      previous,
      removedDirectories,
      nextNodeId,
      salt: this.#salt,
      now: this.#seconds * 1000,
    });
  }
}

/** The parts that outlive a session. In a server, the supervisor keeps them. */
interface Kept {
  readonly device: number;
  readonly journal: number | undefined;
  readonly init: Serving['init'];
}

/** Another descriptor of the same connection. */
function copyOf(fd: number): number {
  const addon = loadAddon();
  const [here, there] = addon.socketPair(true);
  try {
    addon.sendFd(here, 'fd', fd);
    return addon.receiveFd(there);
  } finally {
    closeSync(here);
    closeSync(there);
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
