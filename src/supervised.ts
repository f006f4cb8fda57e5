import { closeSync } from 'node:fs';
import type { SupervisorLink } from './cli/server-port.ts';
import {
  type ConnectionRecord,
  readConnectionRecord,
  removeConnectionRecord,
  writeConnectionRecord,
} from './connection-record.ts';
import type { Addon } from './session/kernel/addon.ts';
import { JOURNAL_BYTES } from './session/kernel/journal.ts';
import type { Presentation, Serving } from './session/messages.ts';
import { Supervision } from './supervision.ts';
import { FUSE_HAS_RESEND } from './wire/index.ts';

/** How often a supervisor is told that main loop and session answer. */
const ALIVE_MS = 1_000;

export interface SupervisedOptions {
  /** Undefined where nobody starts this server again: then nothing is kept. */
  readonly link: SupervisorLink | undefined;
  readonly addon: Addon;
  /** Of all mounts of this user. */
  readonly runtimeDirectory: string;
  readonly mountId: string;
}

/** What a server leaves to the one after it, and has from the one before, beyond the tree. */
export class Supervised {
  /** The connection of a predecessor with the kernel. */
  readonly device: number | undefined;
  /** Memory for a Journal; undefined where nobody comes after. */
  readonly journal: number | undefined;
  /** A predecessor's control socket. */
  readonly controlSocket: number | undefined;
  readonly #options: SupervisedOptions;
  readonly #supervision: Supervision | undefined;
  #isServing = false;
  /** Whether there is no supervisor any more. */
  #isAlone = false;
  #resends = false;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.#supervision = options.link && new Supervision(options.link, options.addon);
    this.device = this.#supervision?.inherit('fuse');
    this.journal = this.#supervision?.inherit('journal') ?? this.#newJournal();
    this.controlSocket = this.#supervision?.inherit('control');
  }

  #newJournal(): number | undefined {
    if (this.#supervision === undefined) return undefined;
    const fd = this.#options.addon.createMemory(JOURNAL_BYTES);
    this.#supervision.keep('journal', fd);
    return fd;
  }

  get hasSupervisor(): boolean {
    return this.#supervision !== undefined;
  }

  get status() {
    const supervised = this.hasSupervisor && !this.#isAlone;
    const { restarts = 0 } = this.#supervision ?? {};
    const how = this.#resends ? ('resend' as const) : ('journal' as const);
    return { supervised, restarts, takeover: supervised ? how : ('remount' as const) };
  }

  /** Why there is a successor, for the log. */
  get succession() {
    const { restarts, reason } = this.#supervision ?? {};
    return { restarts, reason };
  }

  /** What holds for the life of the connection; undefined also where the predecessor did not come to say it. */
  get record(): ConnectionRecord | undefined {
    const { runtimeDirectory, mountId } = this.#options;
    return this.device === undefined ? undefined : readConnectionRecord(runtimeDirectory, mountId);
  }

  /** As Addon.lockFile, and the lock outlives the server. */
  lockFile(path: string): number {
    const inherited = this.#supervision?.inherit('lock');
    if (inherited !== undefined) return inherited;
    const fd = this.#options.addon.lockFile(path);
    if (fd >= 0) this.#supervision?.keep('lock', fd);
    return fd;
  }

  listening(fd: number): void {
    this.#supervision?.keep('control', fd);
  }

  /** A mount was made, in the place of what was inherited if there was anything. */
  opened(fd: number): void {
    this.#supervision?.keep('fuse', fd);
    if (this.device !== undefined) closeSync(this.device);
  }

  /** From here on a successor can go on. */
  serving({ init }: Serving, presentation: Presentation): void {
    this.#isServing = true;
    this.#supervision?.alive();
    this.#resends = ((init?.flags ?? 0n) & FUSE_HAS_RESEND) !== 0n;
    const { runtimeDirectory, mountId } = this.#options;
    if (init !== undefined && this.hasSupervisor) {
      writeConnectionRecord(runtimeDirectory, mountId, { init, presentation });
    }
  }

  /** The mount was there, and somebody has taken it away meanwhile. */
  lost(): void {
    if (this.device !== undefined) closeSync(this.device);
    this.unmounted();
  }

  /** There is nothing to go on with. */
  unmounted(): void {
    this.#supervision?.drop('fuse');
    removeConnectionRecord(this.#options.runtimeDirectory, this.#options.mountId);
  }

  /** Tells the supervisor that all is well as long as `ask` resolves. Returns what ends it, and all that is kept. */
  reportLife(ask: () => Promise<unknown>): () => void {
    const supervision = this.#supervision;
    if (supervision === undefined) return () => undefined;
    const report = async (): Promise<void> => {
      if (!this.#isServing) return;
      await ask();
      this.#isAlone = !supervision.alive() && !supervision.startAnother();
    };
    const timer = setInterval(() => void report(), ALIVE_MS);
    return () => {
      clearInterval(timer);
      supervision.drop('control');
      supervision.drop('lock');
    };
  }
}
