import { closeSync, openSync } from 'node:fs';
import type { Connection } from '../../session/connection.ts';
import type { Addon } from '../../session/kernel/addon.ts';
import {
  type ConnectionRecord,
  readConnectionRecord,
  removeConnectionRecord,
  writeConnectionRecord,
} from '../../session/kernel/connection-record.ts';
import { JOURNAL_BYTES } from '../../session/kernel/journal.ts';
import type { Presentation, Serving } from '../../session/messages.ts';
import type { DescriptorStore } from './descriptor-store.ts';
import { identityIn, identityMemory, type MountIdentity } from './mount-identity.ts';

export interface KeptMountOptions {
  readonly store: DescriptorStore;
  /** Undefined if there is no addon: then nothing is kept. */
  readonly addon: Pick<Addon, 'createMemory' | 'mapMemory'> | undefined;
  readonly identity: MountIdentity;
  /** The runtime directory of this mount alone. */
  readonly directory: string;
}

/**
 * The mount as one server leaves it to the next: device, identity, and the journal of unanswered requests.
 */
export class KeptMount {
  /** The mount of the previous server, if it is not the one that this server is to serve. */
  readonly other: MountIdentity | undefined;
  readonly #options: KeptMountOptions;
  #device: number | undefined;
  /** Placeholder for the device of fuse-native, which no other process can use: the successor makes a new mount. */
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

  /** The device that the previous server left; undefined if it left none, or only a placeholder. */
  get device(): number | undefined {
    return this.#device;
  }

  /** The descriptor of memory for a Journal; undefined if this server will have no successor. */
  get journal(): number | undefined {
    return this.#journal;
  }

  /** Whether the previous server left a mount, even one that cannot be resumed. */
  get isInherited(): boolean {
    return this.#device !== undefined || this.#placeholder !== undefined;
  }

  /** Whether there is a kernel connection that a successor can resume. */
  get isDepended(): boolean {
    return this.#options.store.keeps('fuse');
  }

  /** What INIT agreed on for the inherited connection, as readConnectionRecord() returns it. */
  get record(): ConnectionRecord | 'unusable' | undefined {
    return this.#device === undefined ? undefined : readConnectionRecord(this.#options.directory);
  }

  /** Discards everything inherited from the previous server. */
  startAfresh(): void {
    for (const fd of [this.#device, this.#placeholder, this.#identity, this.#journal])
      if (fd !== undefined) closeSync(fd);
    this.#options.store.drop('fuse', 'own-mount', 'mount', 'journal');
    this.#device = this.#placeholder = this.#identity = undefined;
    this.#journal = this.#newJournal();
  }

  /** Must be called when a new mount was made, which replaces an inherited one. */
  opened(connection: Connection): void {
    const { store, addon, directory } = this.#options;
    if (!store.outlivesServer || addon === undefined) return;
    // Removes the record of the previous connection.
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

  /** Must be called when the mount is served. Records what INIT agreed on: now a successor can resume it. */
  serving({ init }: Serving, presentation: Presentation): void {
    if (init === undefined || !this.#options.store.outlivesServer) return;
    writeConnectionRecord(this.#options.directory, { init, presentation });
  }

  /** Must be called if another process has unmounted the inherited mount. */
  lost(): void {
    if (this.#device !== undefined) closeSync(this.#device);
    this.unmounted();
  }

  /**
   * Must be called when the mount is gone. Nothing is left to resume: the supervisor ends with this server.
   */
  unmounted(): void {
    this.#options.store.drop('fuse', 'mount', 'own-mount');
    removeConnectionRecord(this.#options.directory);
  }

  /**
   * Keeps a placeholder in the place of the device, which libfuse cannot pass to another process. The
   * supervisor starts a successor anyway, because it has the placeholder.
   */
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
