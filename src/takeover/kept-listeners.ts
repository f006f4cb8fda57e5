import { closeSync } from 'node:fs';
import type { DescriptorStore } from './descriptor-store.ts';

const LISTENERS = ['control', 'metrics'] as const;
export type Listener = (typeof LISTENERS)[number];

/** The listening sockets of a server, which its successor goes on with: a client that connects in between waits. */
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

  /** What the server before listened with. */
  listener(name: Listener): number | undefined {
    return this.#inherited.get(name);
  }

  listening(name: Listener, fd: number): void {
    this.#store.keep(name, fd);
  }

  /** The settings do not ask for it any more. */
  endListener(name: Listener): void {
    const fd = this.#inherited.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#inherited.delete(name);
    this.#store.drop(name);
  }

  /** Those of the server before are of another mount. */
  startAfresh(): void {
    for (const name of LISTENERS) this.endListener(name);
  }

  /** The server ends for good. What it listens with is its own to close. */
  drop(): void {
    this.#store.drop(...LISTENERS);
  }
}
