import { closeSync, openSync } from 'node:fs';
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
import type { DescriptorStore } from './descriptor-store.ts';
import { identityIn, identityMemory, type MountIdentity } from './mount-identity.ts';

export interface KeptMountOptions {
  readonly store: DescriptorStore;
  /** Undefined where there is none: then nothing is kept. */
  readonly addon: Pick<Addon, 'createMemory' | 'mapMemory'> | undefined;
  readonly identity: MountIdentity;
  /** This mount's own runtime directory. */
  readonly directory: string;
}

/** The mount as one server leaves it to the next: its device, which mount it is, and what the kernel is owed. */
export class KeptMount {
  /** The mount that the server before has left, where that is not the one that is to be. */
  readonly other: MountIdentity | undefined;
  readonly #options: KeptMountOptions;
  #device: number | undefined;
  /** Stands for the device of fuse-native, which no other process can go on with: the mount is made anew. */
  #placeholder: number | undefined;
  #journal: number | undefined;
  #identity: number | undefined;

  constructor(options: KeptMountOptions) {
    this.#options = options;
    const { store, addon } = options;
    const device = store.inherit('fuse');
    this.#placeholder = store.inherit('own-mount');
    this.#device = this.#placeholder === undefined ? device : undefined;
    this.#journal = store.inherit('journal') ?? this.#newJournal();
    this.#identity = store.inherit('mount');
    const left =
      this.#identity === undefined || addon === undefined ? undefined : identityIn(addon, this.#identity);
    this.other = left?.id === options.identity.id ? undefined : left;
  }

  get identity(): MountIdentity {
    return this.#options.identity;
  }

  /** The connection of the server before with the kernel. */
  get device(): number | undefined {
    return this.#device;
  }

  /** Memory for a Journal; undefined where no server comes after this one. */
  get journal(): number | undefined {
    return this.#journal;
  }

  /** Whether the server before left a mount, also one that cannot be gone on with. */
  get isInherited(): boolean {
    return this.#device !== undefined || this.#placeholder !== undefined;
  }

  /** Whether there is a connection with the kernel that a successor will go on with. */
  get isDepended(): boolean {
    return this.#options.store.keeps('fuse');
  }

  /** How the inherited connection was agreed on, as readConnectionRecord has it. */
  get record(): ConnectionRecord | 'unusable' | undefined {
    return this.#device === undefined ? undefined : readConnectionRecord(this.#options.directory);
  }

  /** Discards all that the server before left. */
  startAfresh(): void {
    for (const fd of [this.#device, this.#placeholder, this.#identity, this.#journal])
      if (fd !== undefined) closeSync(fd);
    this.#options.store.drop('fuse', 'own-mount', 'mount', 'journal');
    this.#device = this.#placeholder = this.#identity = undefined;
    this.#journal = this.#newJournal();
  }

  /** There is a new mount, in the place of the inherited one if there was any. */
  opened(connection: Connection): void {
    const { store, addon, directory } = this.#options;
    if (!store.outlivesServer || addon === undefined) return;
    // That of the connection before.
    removeConnectionRecord(directory);
    this.#identity ??= identityMemory(addon, this.identity);
    store.keep('mount', this.#identity);
    if (connection.kind === 'own') this.#keepPlaceholder();
    else {
      store.drop('own-mount');
      store.keep('fuse', connection.fd);
    }
    if (this.#device !== undefined) closeSync(this.#device);
  }

  /** From here on a successor can go on. */
  serving({ init }: Serving, presentation: Presentation): void {
    if (init === undefined || !this.#options.store.outlivesServer) return;
    writeConnectionRecord(this.#options.directory, { init, presentation });
  }

  /** The mount was there, and was taken away from outside meanwhile. */
  lost(): void {
    if (this.#device !== undefined) closeSync(this.#device);
    this.unmounted();
  }

  /** There is nothing to go on with: the end of this server is the end of the supervisor. */
  unmounted(): void {
    this.#options.store.drop('fuse', 'mount', 'own-mount');
    removeConnectionRecord(this.#options.directory);
  }

  /** libfuse hands its device to no other process. The supervisor starts a successor all the same where something is kept as it. */
  #keepPlaceholder(): void {
    const { store } = this.#options;
    const fd = this.#placeholder ?? openSync('/dev/null', 'r');
    store.keep('own-mount', fd);
    store.keep('fuse', fd);
  }

  #newJournal(): number | undefined {
    const { store, addon } = this.#options;
    if (!store.outlivesServer || addon === undefined) return undefined;
    const fd = addon.createMemory(JOURNAL_BYTES);
    store.keep('journal', fd);
    return fd;
  }
}
