import { diffGenerations, Generation, type GenerationChanges } from '../../tree/index.ts';
import { ERRNO } from '../../wire/index.ts';
import type { NotifyOutcome, ServedTree } from '../messages.ts';
import { planNotifications } from '../notification-plan.ts';
import type { ShownTree } from '../trees/shown-tree.ts';
import type { Notifier } from './notifier.ts';
import type { ReleaseProbe } from './release-probe.ts';

export interface KernelCachesOptions {
  readonly tree: ShownTree;
  readonly notifier: Pick<Notifier, 'send'>;
  readonly probes: Pick<ReleaseProbe, 'ask'>;
}

/** How many notifications were sent, and how many of them the kernel refused. */
export type Notified = Omit<NotifyOutcome, 'ms'>;

/** Drops from the kernel's caches what an earlier tree has left there. */
export class KernelCaches {
  readonly #options: KernelCachesOptions;

  constructor(options: KernelCachesOptions) {
    this.#options = options;
  }

  /** Shows another tree, and resolves once the kernel has answered every notification about the one before. */
  async publish(shown: ServedTree, changes: GenerationChanges): Promise<Notified> {
    const { tree, probes } = this.#options;
    const previous = tree.show(shown, changes);
    const notified = await this.#notify(previous, changes);
    const replaced: number[] = [];
    for (const index of changes.changedFrom) replaced.push(previous.nodeId(index));
    for (const index of changes.removed) replaced.push(previous.nodeId(index));
    probes.ask(replaced);
    return notified;
  }

  /**
   * Sends the notifications that a predecessor may not have sent: for every difference between its tree and the shown
   * one.
   */
  async settleDebt(before: SharedArrayBuffer | undefined): Promise<Notified> {
    const { tree, probes } = this.#options;
    const previous = before && Generation.view(before);
    const notified =
      previous === undefined
        ? { sent: 0, failed: 0 }
        : await this.#notify(previous, diffGenerations(previous, tree.generation));
    probes.ask(tree.heldIds());
    return notified;
  }

  async #notify(previous: Generation, changes: GenerationChanges): Promise<Notified> {
    const { tree, notifier } = this.#options;
    const { generation, placement } = tree;
    const revived = (nodeId: number): boolean => tree.revive(nodeId);
    const messages = planNotifications(previous, generation, changes, revived, placement);
    const results = await notifier.send(messages);
    tree.settled();
    return { sent: messages.length, failed: failedOf(results) };
  }
}

/** ENOENT: the kernel had cached nothing under that name. */
function failedOf(results: Int32Array): number {
  return results.filter((errno) => errno !== 0 && errno !== ERRNO.ENOENT).length;
}
