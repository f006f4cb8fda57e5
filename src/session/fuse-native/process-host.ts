import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NO_DEBUGGER } from '../../host/node-command.ts';
import type { SessionHost } from '../driver.ts';
import type {
  FromSession,
  ServedTree,
  ServedVersion,
  ToSession,
  VersionAnswer,
  VersionsServed,
} from '../messages.ts';
import { MountError } from '../mount-error.ts';
import { RequestMeter } from '../request-meter.ts';

/** Memory of this process cannot be shared with another one: it goes there as a copy. */
interface CopiedShown {
  readonly generation: Uint8Array;
  readonly fingerprints: Uint8Array;
}

type Copied<Tree extends ServedTree> = Omit<Tree, keyof ServedTree> & CopiedShown;
type Start = Extract<ToSession, { kind: 'start' }>;
type Publish = Extract<ToSession, { kind: 'publish' }>;
type Answered = Extract<ToSession, { kind: 'version' }>;
type Found = Extract<VersionAnswer, { kind: 'found' }>;
interface CopiedVersions extends Omit<VersionsServed, 'versions'> {
  readonly versions: readonly Copied<ServedVersion>[];
}
type CopiedAnswer =
  | Exclude<VersionAnswer, Found>
  | (Omit<Found, 'version'> & { readonly version: Copied<ServedVersion> });

/** What goes to the process: as ToSession, with copies, and without the memory of the meter. */
export type ToProcess =
  | (Omit<Start, 'shown' | 'versions' | 'meter'> & {
      readonly shown: CopiedShown;
      readonly versions: CopiedVersions | undefined;
    })
  | (Omit<Publish, 'shown'> & { readonly shown: CopiedShown })
  | (Omit<Answered, 'answer'> & { readonly answer: CopiedAnswer })
  | Exclude<ToSession, Start | Publish | Answered>;

/** What comes from it before anything else. */
export type Loading =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly message: string; readonly hint: string };

/** The meter's memory, as it is there at the moment. */
export interface Metered {
  readonly kind: 'metered';
  readonly bytes: Uint8Array;
}

/** Loading libfuse takes some milliseconds; a host that takes as long as this has other trouble. */
const LOADING_MS = 30_000;
/** It waits for those who still use the mount, and no longer. */
const STOPPING_MS = 10_000;
/** Of what libfuse and the programs that it calls print. */
const MOST_TEXT = 2_000;

/**
 * A session in a process of its own: fuse-native answers on the loop of a main thread alone, and the server's must not
 * be that, since it waits for the store. A crash of libfuse is no crash of the server, either.
 */
export class ProcessHost implements SessionHost {
  readonly #child: ChildProcess;
  readonly #closed: Promise<string | undefined>;
  #printed = '';
  #meter: Uint8Array | undefined;

  /** Resolves once fuse-native is loaded there; rejects with MountError `no-fuse-native`. */
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
      // A terminal's signals are for the server, which then ends this one. No directory is kept busy.
      detached: true,
      cwd: '/',
      execArgv: [NO_DEBUGGER],
    });
    this.#child.stderr?.on('data', (part) => {
      this.#printed = (this.#printed + part).slice(-MOST_TEXT);
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      // Later than exit: all that it printed is there.
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
    // What cannot be sent any more is for nobody: onExit says so.
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
      // libfuse says why on stderr alone.
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

function portable(message: ToSession): ToProcess {
  switch (message.kind) {
    case 'publish':
      return { ...message, shown: copied(message.shown) };
    case 'version': {
      const { answer } = message;
      if (answer.kind !== 'found') return { ...message, answer };
      return { ...message, answer: { ...answer, version: copied(answer.version) } };
    }
    case 'start': {
      const { meter: _, versions, ...start } = message;
      return {
        ...start,
        shown: copied(start.shown),
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

/** The other end of `portable`. */
export function shared(message: ToProcess): ToSession {
  switch (message.kind) {
    case 'publish':
      return { ...message, shown: treeInMemory(message.shown) };
    case 'version': {
      const { answer } = message;
      if (answer.kind !== 'found') return { ...message, answer };
      return { ...message, answer: { ...answer, version: treeInMemory(answer.version) } };
    }
    case 'start': {
      const { versions } = message;
      return {
        ...message,
        shown: treeInMemory(message.shown),
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
