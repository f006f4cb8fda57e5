import { closeSync } from 'node:fs';
import type { DescriptorStore } from './descriptor-store.ts';

const LISTENERS = ['control', 'metrics', 'webhook'] as const;
export type Listener = (typeof LISTENERS)[number];

/** The listening sockets, which the next server inherits: a client that connects in between waits. */
export class KeptListeners {
  readonly #store: DescriptorStore;
  readonly #inherited = new Map<Listener, number>();

  constructor(store: DescriptorStore) {
    this.#store = store;
    for (const name of LISTENERS) {
      const fd = store.inherit(name);
      if (fd !== undefined) this.#inherited.set(name, fd);
    }
  }

  /** The sockets of the previous server. */
  listener(name: Listener): number | undefined {
    return this.#inherited.get(name);
  }

  listening(name: Listener, fd: number): void {
    this.#store.keep(name, fd);
  }

  /** The settings no longer ask for this socket. */
  endListener(name: Listener): void {
    const fd = this.#inherited.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#inherited.delete(name);
    this.#store.drop(name);
  }

  /** The inherited sockets belong to another mount. */
  startAfresh(): void {
    for (const name of LISTENERS) this.endListener(name);
  }

  /** The server ends without a successor. It closes its own sockets. */
  drop(): void {
    this.#store.drop(...LISTENERS);
  }
}
