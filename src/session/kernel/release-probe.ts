import { ERRNO, encodeStore } from '../../wire/index.ts';
import type { MountedTrees } from '../trees/mounted-trees.ts';

/**
 * The delay of a query after a FORGET. FORGETs come in bursts, and one query to the kernel covers all of
 * them.
 */
const PROBE_DELAY_MS = 100;
/** The interval of checks of all held nodes, because a FORGET that a predecessor had read may be lost. */
const PROBE_ALL_MS = 60_000;

export interface ReleaseProbeOptions {
  readonly trees: Pick<MountedTrees, 'held' | 'heldIds' | 'release'>;
  /** Sends notifications; resolves with 0 or an errno for each. */
  readonly ask: (messages: readonly Uint8Array[]) => Promise<Int32Array>;
  /** Called with replaced nodes that the kernel no longer holds. */
  readonly onReleased: (nodeIds: readonly number[]) => void;
}

/**
 * Asks the kernel with empty STOREs which replaced nodes it still holds, and releases the other nodes. There
 * is only one query at a time: while the kernel does not answer, further nodes wait here, and each node waits
 * only once. Otherwise the pipe to the notify thread would fill behind a stuck notification, and finally
 * block the thread that answers readers.
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
    this.#all = setInterval(() => this.ask(options.trees.heldIds()), PROBE_ALL_MS);
    this.#all.unref();
  }

  /**
   * Schedules a query about a node for which the kernel sent FORGET. A FORGET is only a hint that the kernel
   * holds the node no longer, not a proof.
   */
  forgotten(nodeId: number): void {
    if (this.#options.trees.held(nodeId) === undefined) return;
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
    const { trees, ask, onReleased } = this.#options;
    this.#isAsking = true;
    while (this.#due.size > 0 && !this.#stopped) {
      const asked = [...this.#due].filter((nodeId) => trees.held(nodeId) !== undefined);
      this.#due.clear();
      if (asked.length === 0) break;
      const results = await ask(asked.map((nodeId) => encodeStore(nodeId, 0)));
      const released = asked.filter((_, i) => results[i] === ERRNO.ENOENT);
      if (released.length === 0) continue;
      trees.release(released);
      onReleased(released);
    }
    this.#isAsking = false;
  }
}
