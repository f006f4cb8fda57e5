import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { raisePriority } from '../host/process-priority.ts';
import { mountRuntimeDirectory } from '../host/runtime-paths.ts';
import type { Connection } from '../session/connection.ts';
import type { Addon } from '../session/kernel/addon.ts';
import {
  type ConnectionRecord,
  readConnectionRecord,
  removeConnectionRecord,
  writeConnectionRecord,
} from '../session/kernel/connection-record.ts';
import { JOURNAL_BYTES } from '../session/kernel/journal.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { Sync } from '../sync/sync.ts';
import { FUSE_HAS_RESEND } from '../wire/index.ts';
import { lockWithoutAddon } from './lock-without-addon.ts';
import { identityIn, identityMemory, type MountIdentity } from './mount-identity.ts';
import { serviceStatus } from './service-status.ts';
import { type Order, Supervision } from './supervision.ts';
import type { SupervisorLink } from './supervisor-link.ts';

/** After a first start others want the processor; a server that was needed once may be needed again at once. */
const CALM_MS = 10_000;
/** How often a supervisor is told that main loop and session answer. */
const ALIVE_MS = 500;

/** Why a wish for another server came to nothing. */
const ORPHANED = 'its supervisor ended meanwhile, and there is another one now';

const LISTENERS = ['control', 'metrics'] as const;
export type Listener = (typeof LISTENERS)[number];

export interface SupervisedOptions {
  /** Undefined where nobody starts this server again: then nothing is kept. */
  readonly link: SupervisorLink | undefined;
  /** Undefined where there is none: then nothing is kept either. */
  readonly addon: Addon | undefined;
  /** Of all mounts of this user. */
  readonly runtimeDirectory: string;
  readonly identity: MountIdentity;
  /** How long readers may wait for a server, milliseconds. */
  readonly takeoverDeadlineMs: number;
  /** Whether another server is to stand by for when this one dies. */
  readonly standby: boolean;
  /** There is another supervisor, or none any more. */
  readonly onChange: () => void;
  /** The server before gave no sign of life: where its threads were in the kernel. */
  readonly onStuck: (threads: string) => void;
  /** Another server stands by, and `handOver` is to be called; or it was dropped. */
  readonly onReplacement: (replacement: Replacement) => void;
}

/** What became of a wish for another server in the place of this one. */
export type Replacement =
  | { readonly kind: 'stands-by' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'unsupervised' };

/** What a server leaves to the one after it, and has from the one before, beyond the tree. */
export class Supervised {
  /** Which mount a predecessor has left, where it is not the one that is to be. */
  readonly other: MountIdentity | undefined;
  readonly #options: SupervisedOptions;
  readonly #supervision: Supervision | undefined;
  readonly #standsBy: boolean;
  /** To be called when this server may take the place of another one. */
  #goOn: (told: boolean) => void = () => undefined;
  readonly #waiting = new Set<(replacement: Replacement) => void>();
  #device: number | undefined;
  #journal: number | undefined;
  readonly #listeners = new Map<Listener, number | undefined>();
  /** That of `identity`, once there is a mount. */
  #memory: number | undefined;
  #isServing = false;
  /** When it was told to go on; otherwise when the process began. */
  #turnAt = 0;
  /** From when on another server may stand by. */
  #spareFrom = Number.POSITIVE_INFINITY;
  #restorePriority: () => void = () => undefined;
  /** Whether there is no supervisor any more. */
  #isAlone = false;
  #resends = false;
  /** Whether the session has the device, which then cannot be kept. */
  #mountsItself = false;
  #placeholder: number | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { link, addon } = options;
    this.#standsBy = link?.standsBy === true;
    this.#supervision = link && addon && new Supervision(link, addon, (order) => this.#obey(order));
    this.#device = this.#inheritDevice();
    this.#journal = this.#supervision?.inherit('journal') ?? this.#newJournal();
    for (const name of LISTENERS) this.#listeners.set(name, this.#supervision?.inherit(name));
    this.#memory = this.#supervision?.inherit('mount');
    const left =
      this.#memory === undefined || addon === undefined ? undefined : identityIn(addon, this.#memory);
    this.other = left?.id === options.identity.id ? undefined : left;
  }

  get identity(): MountIdentity {
    return this.#options.identity;
  }

  /** The connection of a predecessor with the kernel. */
  get device(): number | undefined {
    return this.#device;
  }

  /** Memory for a Journal; undefined where nobody comes after. */
  get journal(): number | undefined {
    return this.#journal;
  }

  /** What a predecessor listens with. */
  listener(name: Listener): number | undefined {
    return this.#listeners.get(name);
  }

  /** Nothing of what a predecessor left is gone on with. */
  startAfresh(): void {
    const left = [this.#device, this.#placeholder, this.#memory, this.#journal, ...this.#listeners.values()];
    for (const fd of left) if (fd !== undefined) closeSync(fd);
    for (const name of ['fuse', 'own-mount', 'mount', 'journal', ...LISTENERS, 'lock'] as const)
      this.#supervision?.drop(name);
    this.#device = this.#placeholder = this.#memory = undefined;
    this.#listeners.clear();
    this.#journal = this.#newJournal();
  }

  /** Whether a predecessor left a mount, also one that cannot be gone on with. */
  get inheritsMount(): boolean {
    return this.#device !== undefined || this.#placeholder !== undefined;
  }

  /** What stands for a device of fuse-native's cannot be gone on with: the mount is made anew. */
  #inheritDevice(): number | undefined {
    const device = this.#supervision?.inherit('fuse');
    this.#placeholder = this.#supervision?.inherit('own-mount');
    return this.#placeholder === undefined ? device : undefined;
  }

  #newJournal(): number | undefined {
    const { addon } = this.#options;
    if (this.#supervision === undefined || addon === undefined) return undefined;
    const fd = addon.createMemory(JOURNAL_BYTES);
    this.#supervision.keep('journal', fd);
    return fd;
  }

  get hasSupervisor(): boolean {
    return this.#supervision !== undefined;
  }

  /** Whether there is a connection with the kernel that a successor will go on with. */
  get isDepended(): boolean {
    return this.#supervision?.keeps('fuse') === true;
  }

  get status() {
    const supervised = this.hasSupervisor && !this.#isAlone;
    const { restarts = 0 } = this.#supervision ?? {};
    const how = this.#resends ? ('resend' as const) : ('journal' as const);
    const takeover = supervised && !this.#mountsItself ? how : ('remount' as const);
    return { supervised, restarts, takeover };
  }

  /** Of the supervisor; undefined where there is none. */
  get supervisorPid(): number | undefined {
    return this.#isAlone ? undefined : this.#supervision?.pid;
  }

  /**
   * Resolves at once, unless this server was started beside one that goes on: then when that is gone. `prepare`: what
   * takes long and can be done before; what it rejects with ends this server, and the other one goes on. Resolves with
   * whether it is to go on at all: not where it was stopped, or is left alone by its supervisor.
   */
  async myTurn(prepare: (isSpare: boolean) => Promise<unknown>, stop: AbortSignal): Promise<boolean> {
    const { link } = this.#options;
    if (link === undefined || !this.#standsBy) {
      if (link !== undefined && link.restarts > 0) this.#restorePriority = raisePriority(link.nice);
      return true;
    }
    const told = new Promise<boolean>((resolve) => {
      this.#goOn = resolve;
      stop.addEventListener('abort', () => resolve(false));
    });
    const { isSpare, nice } = link;
    await Promise.race([told, prepare(isSpare)]);
    this.#supervision?.standBy();
    const goesOn = await told;
    this.#turnAt = performance.now();
    this.#restorePriority = raisePriority(nice);
    // As a spare one it is called otherwise.
    if (isSpare)
      process.title = [basename(process.execPath), ...process.execArgv, ...process.argv.slice(1)].join(' ');
    return goesOn;
  }

  /** Readers wait for nothing but the store: there is time for a server that stands by. */
  ready(): void {
    const isFirst = this.#supervision?.restarts === 0;
    this.#spareFrom = performance.now() + (isFirst ? CALM_MS : 0);
  }

  /** Asks for another server in the place of this one; resolves just before this one is ended by that. */
  async replace(): Promise<Replacement> {
    const supervision = this.#supervision;
    if (supervision === undefined || !supervision.alive()) return { kind: 'unsupervised' };
    return await new Promise((resolve) => {
      this.#waiting.add(resolve);
      supervision.restart();
    });
  }

  /** This server can be ended: from outside, and without a word. */
  handOver(): void {
    this.#supervision?.handOver();
  }

  #obey(order: Order): void {
    if (order.kind === 'go' || order.kind === 'orphaned') {
      this.#goOn(order.kind === 'go');
      if (order.kind === 'orphaned' && this.#waiting.size > 0)
        this.#tell({ kind: 'dropped', reason: ORPHANED });
      return;
    }
    if (order.kind === 'stuck') {
      this.#options.onStuck(order.reason);
      return;
    }
    this.#tell(
      order.kind === 'hand-over' ? { kind: 'stands-by' } : { kind: 'dropped', reason: order.reason },
    );
  }

  #tell(replacement: Replacement): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const tell of waiting) tell(replacement);
    this.#options.onReplacement(replacement);
  }

  /** For the log: why there is a successor, and the milliseconds until its readers were answered. */
  succession(servingAt: number) {
    const { restarts, reason } = this.#supervision ?? {};
    return { restarts, reason, ms: Math.round(servingAt - this.#turnAt) };
  }

  /** As readConnectionRecord has it, of the connection that was inherited. */
  get record(): ConnectionRecord | 'unusable' | undefined {
    return this.device === undefined ? undefined : readConnectionRecord(this.#ownDirectory);
  }

  get #ownDirectory(): string {
    const { runtimeDirectory, identity } = this.#options;
    return mountRuntimeDirectory(runtimeDirectory, identity.id);
  }

  /** As Addon.lockFile, and the lock outlives the server. */
  lockFile(path: string): number {
    const inherited = this.#supervision?.inherit('lock');
    if (inherited !== undefined && isFileAt(inherited, path)) return inherited;
    // That of the cache directory which was set before.
    if (inherited !== undefined) closeSync(inherited);
    const fd = (this.#options.addon?.lockFile ?? lockWithoutAddon)(path);
    if (fd >= 0) this.#supervision?.keep('lock', fd);
    return fd;
  }

  /** It is not asked for any more. */
  endListener(name: Listener): void {
    const fd = this.#listeners.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#listeners.delete(name);
    this.#supervision?.drop(name);
  }

  listening(name: Listener, fd: number): void {
    this.#supervision?.keep(name, fd);
  }

  /** A mount was made, in the place of what was inherited if there was anything. */
  opened(connection: Connection): void {
    const { addon } = this.#options;
    if (this.#supervision === undefined || addon === undefined) {
      this.#mountsItself = connection.kind === 'own';
      return;
    }
    // That of the connection before.
    removeConnectionRecord(this.#ownDirectory);
    this.#memory ??= identityMemory(addon, this.identity);
    this.#supervision.keep('mount', this.#memory);
    if (connection.kind === 'own') this.#keepPlaceholder();
    else {
      this.#supervision.drop('own-mount');
      this.#supervision.keep('fuse', connection.fd);
    }
    if (this.#device !== undefined) closeSync(this.#device);
  }

  /**
   * The device is libfuse's own, which hands it to nobody. So that the server has a successor all the same, something
   * else is kept under its name, and something that says so.
   */
  #keepPlaceholder(): void {
    this.#mountsItself = true;
    if (this.#supervision === undefined) return;
    const fd = this.#placeholder ?? openSync('/dev/null', 'r');
    this.#supervision.keep('own-mount', fd);
    this.#supervision.keep('fuse', fd);
  }

  /** From here on a successor can go on. */
  serving({ init }: Serving, presentation: Presentation): void {
    this.#isServing = true;
    // Where the store is down it is not ready for long.
    this.#spareFrom = performance.now() + CALM_MS;
    this.#supervision?.alive();
    this.#resends = ((init?.flags ?? 0n) & FUSE_HAS_RESEND) !== 0n;
    if (init !== undefined && this.hasSupervisor) {
      writeConnectionRecord(this.#ownDirectory, { init, presentation });
    }
  }

  /**
   * Readers are answered, though the kernel may not have taken yet what it is owed. That can take as long as a process
   * holds a directory's lock, and another server would do no better.
   */
  answering(): void {
    this.#isServing = true;
  }

  /** What is not local can be read, too: readers wait for nothing that the processor does. */
  restorePriority(): void {
    this.#restorePriority();
  }

  /** `connection`: its number below /sys/fs/fuse/connections. */
  setTakeoverDeadline(connection: number | undefined): void {
    const { takeoverDeadlineMs: deadlineMs } = this.#options;
    const abortFile = connection === undefined ? '/dev/null' : `/sys/fs/fuse/connections/${connection}/abort`;
    this.#supervision?.setTakeoverDeadline({ deadlineMs, abortFile });
  }

  /** The mount was there, and somebody has taken it away meanwhile. */
  lost(): void {
    if (this.#device !== undefined) closeSync(this.#device);
    this.unmounted();
  }

  /** There is nothing to go on with. */
  unmounted(): void {
    for (const name of ['fuse', 'mount', 'own-mount'] as const) this.#supervision?.drop(name);
    removeConnectionRecord(this.#ownDirectory);
  }

  /**
   * Tells the supervisor that all is well as long as the session answers, and what is shown. Returns what ends it,
   * and all that is kept.
   */
  reportLife(session: Pick<SessionClient, 'counters'>, sync: Pick<Sync, 'ready' | 'view'>): () => void {
    const supervision = this.#supervision;
    if (supervision === undefined) return () => undefined;
    let told = '';
    const report = async (): Promise<void> => {
      if (!this.#isServing) return;
      await session.counters();
      const line = serviceStatus(sync.view);
      if (line !== told) supervision.status(line);
      told = line;
      if (this.#options.standby && performance.now() > this.#spareFrom) supervision.wantSpare();
      if (supervision.alive()) return;
      const wasAlone = this.#isAlone;
      this.#isAlone = !supervision.startAnother();
      if (!wasAlone || !this.#isAlone) this.#options.onChange();
    };
    sync.ready.then(
      () => supervision.ready(),
      () => undefined,
    );
    const timer = setInterval(() => void report(), ALIVE_MS);
    return () => {
      clearInterval(timer);
      for (const name of [...LISTENERS, 'journal', 'lock'] as const) supervision.drop(name);
    };
  }
}

function isFileAt(fd: number, path: string): boolean {
  const [open, there] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return there?.ino === open.ino && there.dev === open.dev;
}
