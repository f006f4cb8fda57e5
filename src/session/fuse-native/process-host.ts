import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NO_DEBUGGER } from '../../host/node-command.ts';
import type { SessionHost } from '../driver.ts';
import type {
  FromSession,
  MountedTree,
  ServedTree,
  ServedVersion,
  ShownSince,
  ToSession,
  VersionAnswer,
  VersionsServed,
} from '../messages.ts';
import { MountError } from '../mount-error.ts';
import { RequestMeter } from '../request-meter.ts';

/** A copy of a generation. The process gets a copy, because memory cannot be shared with another process. */
interface CopiedShown {
  readonly generation: Uint8Array;
  readonly fingerprints: Uint8Array;
}

type Copied<Tree extends ServedTree> = Omit<Tree, keyof ServedTree> & CopiedShown;
type Start = Extract<ToSession, { kind: 'start' }>;
type Publish = Extract<ToSession, { kind: 'publish' }>;
type Show = Extract<ToSession, { kind: 'show' }>;
type Answered = Extract<ToSession, { kind: 'version' }>;
type Found = Extract<VersionAnswer, { kind: 'found' }>;
interface CopiedMountedTree extends Omit<MountedTree, 'shown' | 'left'> {
  readonly shown: Copied<ShownSince> | undefined;
}
interface CopiedVersions extends Omit<VersionsServed, 'versions'> {
  readonly versions: readonly Copied<ServedVersion>[];
}
type CopiedAnswer =
  | Exclude<VersionAnswer, Found>
  | (Omit<Found, 'version'> & { readonly version: Copied<ServedVersion> });

/**
 * Messages to the process: ToSession with copies instead of shared memory, and without the meter's memory.
 */
export type ToProcess =
  | (Omit<Start, 'trees' | 'versions' | 'meter'> & {
      readonly trees: readonly CopiedMountedTree[];
      readonly versions: CopiedVersions | undefined;
    })
  | (Omit<Show, 'shown'> & { readonly shown: Copied<ShownSince> })
  | (Omit<Publish, 'shown'> & { readonly shown: CopiedShown })
  | (Omit<Answered, 'answer'> & { readonly answer: CopiedAnswer })
  | Exclude<ToSession, Start | Show | Publish | Answered>;

/** The first message from the process: whether it has loaded fuse-native. */
export type Loading =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly message: string; readonly hint: string };

/** A copy of the meter's current content. */
export interface Metered {
  readonly kind: 'metered';
  readonly bytes: Uint8Array;
}

/**
 * Time limit of loading libfuse, which takes some milliseconds. If it takes this long, the host has another
 * problem.
 */
const LOADING_MS = 30_000;
/** How long a stopping process may wait for processes that still use the mount. After that it is killed. */
const STOPPING_MS = 10_000;
/**
 * The maximum number of characters that are kept of the output of libfuse and of the programs that it calls.
 */
const MOST_TEXT = 2_000;

/**
 * Runs a session in its own process. fuse-native answers only on the event loop of a main thread, and the
 * server's main thread is busy with the store. A crash of libfuse does not crash the server.
 */
export class ProcessHost implements SessionHost {
  readonly #child: ChildProcess;
  readonly #closed: Promise<string | undefined>;
  #printed = '';
  #meter: Uint8Array | undefined;

  /**
   * Starts the process. Resolves once the process has loaded fuse-native; rejects with MountError
   * `no-fuse-native` if it cannot.
   */
  static async start(file: URL): Promise<ProcessHost> {
    const host = new ProcessHost(file);
    try {
      await host.#loaded();
      return host;
    } catch (error) {
      await host.terminate();
      throw error;
    }
  }

  private constructor(file: URL) {
    this.#child = fork(fileURLToPath(file), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // With `detached`, a terminal sends signals only to the server, which then ends this process. With
      // `cwd`, the process keeps no directory busy.
      detached: true,
      cwd: '/',
      execArgv: [NO_DEBUGGER],
    });
    this.#child.stderr?.on('data', (part) => {
      this.#printed = (this.#printed + part).slice(-MOST_TEXT);
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      // `close` comes after `exit`, when all output has been read.
      this.#child.once('close', (code, signal) =>
        resolve(
          code === 0 ? undefined : this.#withPrinted(`the process of fuse-native ended by ${signal ?? code}`),
        ),
      );
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToSession): void {
    if (message.kind === 'start') this.#meter = new Uint8Array(message.meter);
    // A message that can no longer be sent is dropped: onExit reports the end.
    if (this.#child.connected) this.#child.send(portable(message), () => undefined);
    if (message.kind === 'stop') setTimeout(() => void this.terminate(), STOPPING_MS).unref();
  }

  onMessage(listener: (message: FromSession) => void): void {
    this.#child.on('message', (message: unknown) => {
      const told = message as FromSession | Metered;
      if (told.kind === 'metered') {
        this.#meter?.set(told.bytes);
        return;
      }
      if (told.kind !== 'refused') return listener(told);
      // libfuse reports the reason only on stderr, so wait until the whole output has been read.
      void this.#closed.then(() => listener({ kind: 'refused', reason: this.#withPrinted(told.reason) }));
    });
  }

  onExit(listener: (reason: string | undefined) => void): void {
    void this.#closed.then((reason) => setImmediate(() => listener(reason)));
  }

  async terminate(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#closed;
  }

  async #loaded(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await Promise.race([
        new Promise<Loading>((resolve) => this.#child.once('message', resolve)),
        this.#closed.then((reason) => unloadable(reason ?? 'its process ended')),
        new Promise<Loading>((resolve) => {
          timer = setTimeout(() => resolve(unloadable('its process does not answer')), LOADING_MS);
        }),
      ]);
      if (answer.kind === 'unloadable') throw new MountError('no-fuse-native', answer.message, answer.hint);
    } finally {
      clearTimeout(timer);
    }
  }

  #withPrinted(reason: string): string {
    const text = this.#printed.trim().replace(/\s*\n\s*/g, '; ');
    return text === '' ? reason : `${reason}: ${text}`;
  }
}

function unloadable(reason: string): Loading {
  return {
    kind: 'unloadable',
    message: `fuse-native could not be loaded (${reason}).`,
    hint: 'Run dagmount doctor, which says what is missing; or use --driver kernel.',
  };
}

/**
 * Converts a message from the server's form to the form that can be sent to the process of fuse-native:
 * replaces shared memory by copies. Runs in the server.
 */
function portable(message: ToSession): ToProcess {
  switch (message.kind) {
    case 'show':
      return { ...message, shown: copied(message.shown) };
    case 'publish':
      return { ...message, shown: copied(message.shown) };
    case 'version': {
      const { answer } = message;
      if (answer.kind !== 'found') return { ...message, answer };
      return { ...message, answer: { ...answer, version: copied(answer.version) } };
    }
    case 'start': {
      const { meter: _, versions, trees, ...start } = message;
      return {
        ...start,
        trees: trees.map(({ left: _, shown, ...tree }) => ({ ...tree, shown: shown && copied(shown) })),
        versions: versions && { ...versions, versions: versions.versions.map(copied) },
      };
    }
    default:
      return message;
  }
}

function copied<Tree extends ServedTree>(tree: Tree): Copied<Tree> {
  const { generation, fingerprints } = tree;
  return { ...tree, generation: Buffer.from(generation), fingerprints: Buffer.from(fingerprints) };
}

/**
 * The inverse of `portable`: converts a received message to the form that a session expects, with its trees
 * and the meter in shared memory. Runs in the process of fuse-native.
 */
export function shared(message: ToProcess): ToSession {
  switch (message.kind) {
    case 'show':
      return { ...message, shown: treeInMemory(message.shown) };
    case 'publish':
      return { ...message, shown: treeInMemory(message.shown) };
    case 'version': {
      const { answer } = message;
      if (answer.kind !== 'found') return { ...message, answer };
      return { ...message, answer: { ...answer, version: treeInMemory(answer.version) } };
    }
    case 'start': {
      const { versions, trees } = message;
      return {
        ...message,
        trees: trees.map((tree) => ({ ...tree, shown: tree.shown && treeInMemory(tree.shown) })),
        versions: versions && { ...versions, versions: versions.versions.map(treeInMemory) },
        meter: RequestMeter.memory(),
      };
    }
    default:
      return message;
  }
}

function treeInMemory<Tree extends CopiedShown>(tree: Tree): Omit<Tree, keyof ServedTree> & ServedTree {
  const { generation, fingerprints } = tree;
  return { ...tree, generation: inMemory(generation), fingerprints: inMemory(fingerprints) };
}

function inMemory(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(memory).set(bytes);
  return memory;
}
