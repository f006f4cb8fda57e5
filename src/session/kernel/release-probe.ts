import { ERRNO, encodeStore } from '../../wire/index.ts';
import type { ShownTree } from '../trees/shown-tree.ts';

/** FORGETs come in bursts: one question to the kernel for all of them. */
const PROBE_DELAY_MS = 100;
/** A FORGET may be lost with a predecessor that had read it: so all held inodes are asked for now and then. */
const PROBE_ALL_MS = 60_000;

export interface ReleaseProbeOptions {
  readonly tree: Pick<ShownTree, 'held' | 'heldIds' | 'release'>;
  /** Sends notifications; resolves with 0 or an errno of each. */
  readonly ask: (messages: readonly Uint8Array[]) => Promise<Int32Array>;
  /** The kernel holds these replaced nodes no longer. */
  readonly onReleased: (nodeIds: readonly number[]) => void;
}

/**
 * Asks the kernel which replaced nodes it still holds (an empty STORE), and lets the others go. One question at a time:
 * while the kernel does not answer, what more there is to ask waits here, once a node. Otherwise the pipe to the notify
 * thread would fill behind a notification that is stuck, and in the end hold up the thread that answers readers.
 */
export class ReleaseProbe {
  readonly #options: ReleaseProbeOptions;
  readonly #due = new Set<number>();
  readonly #forgotten = new Set<number>();
  readonly #all: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #isAsking = false;
  #stopped = false;

  constructor(options: ReleaseProbeOptions) {
    this.#options = options;
    this.#all = setInterval(() => this.ask(options.tree.heldIds()), PROBE_ALL_MS);
    this.#all.unref();
  }

  /** The kernel said that it let go of a node: a hint to ask, no more. */
  forgotten(nodeId: number): void {
    if (this.#options.tree.held(nodeId) === undefined) return;
    this.#forgotten.add(nodeId);
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      const nodeIds = [...this.#forgotten];
      this.#forgotten.clear();
      this.ask(nodeIds);
    }, PROBE_DELAY_MS);
  }

  ask(nodeIds: readonly number[]): void {
    for (const nodeId of nodeIds) this.#due.add(nodeId);
    if (!this.#isAsking) void this.#askAll();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#all);
    clearTimeout(this.#soon);
  }

  async #askAll(): Promise<void> {
    const { tree, ask, onReleased } = this.#options;
    this.#isAsking = true;
    while (this.#due.size > 0 && !this.#stopped) {
      const asked = [...this.#due].filter((nodeId) => tree.held(nodeId) !== undefined);
      this.#due.clear();
      if (asked.length === 0) break;
      const results = await ask(asked.map((nodeId) => encodeStore(nodeId, 0)));
      const released = asked.filter((_, i) => results[i] === ERRNO.ENOENT);
      if (released.length === 0) continue;
      tree.release(released);
      onReleased(released);
    }
    this.#isAsking = false;
  }
}
