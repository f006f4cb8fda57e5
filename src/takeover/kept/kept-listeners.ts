import { closeSync } from 'node:fs';
import type { DescriptorStore } from './descriptor-store.ts';

const LISTENERS = ['control', 'metrics', 'webhook'] as const;
export type Listener = (typeof LISTENERS)[number];

/**
 * The listening sockets, which the next server inherits. So a client that connects between two servers waits.
 */
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

  /** Returns a socket of the previous server; undefined if there is none. */
  listener(name: Listener): number | undefined {
    return this.#inherited.get(name);
  }

  listening(name: Listener, fd: number): void {
    this.#store.keep(name, fd);
  }

  /** Closes an inherited socket that the settings no longer ask for. */
  endListener(name: Listener): void {
    const fd = this.#inherited.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#inherited.delete(name);
    this.#store.drop(name);
  }

  /** Closes the inherited sockets, which belong to another mount. */
  startAfresh(): void {
    for (const name of LISTENERS) this.endListener(name);
  }

  /**
   * Makes the supervisor close its copies, because no successor will come. The server closes its own sockets.
   */
  drop(): void {
    this.#store.drop(...LISTENERS);
  }
}
