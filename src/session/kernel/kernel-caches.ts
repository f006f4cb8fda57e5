import { diffGenerations, Generation, type GenerationChanges } from '../../tree/index.ts';
import { ERRNO } from '../../wire/index.ts';
import type { MountedTree, NotifyOutcome, ServedTree } from '../messages.ts';
import { planNotifications } from '../notification-plan.ts';
import type { MountedTrees } from '../trees/mounted-trees.ts';
import type { ShownTree } from '../trees/shown-tree.ts';
import type { Notifier } from './notifier.ts';
import type { ReleaseProbe } from './release-probe.ts';

export interface KernelCachesOptions {
  readonly notifier: Pick<Notifier, 'send'>;
  readonly probes: Pick<ReleaseProbe, 'ask'>;
}

/** How many notifications were sent, and how many of them the kernel refused. */
export type Notified = Omit<NotifyOutcome, 'ms'>;

/** A tree that a predecessor left, and the generation of which the kernel may still cache parts. */
export interface Debt {
  readonly tree: ShownTree;
  /** The generation before the shown one. Undefined if the kernel was notified of all differences. */
  readonly previous: Generation | undefined;
}

/**
 * Returns the shown trees, each with the generation before it if the kernel must still be notified of
 * differences. Until that is done, such a tree counts as changing.
 */
export function debtsOf(trees: readonly Pick<MountedTree, 'left'>[], mounted: MountedTrees): readonly Debt[] {
  return trees.flatMap(({ left }, number) => {
    const tree = mounted.at(number);
    if (tree === undefined) return [];
    const previous = left?.previous && Generation.view(left.previous);
    if (previous !== undefined) tree.unsettled();
    return [{ tree, previous }];
  });
}

/** Drops the remains of earlier generations from the kernel's caches. */
export class KernelCaches {
  readonly #options: KernelCachesOptions;

  constructor(options: KernelCachesOptions) {
    this.#options = options;
  }

  /**
   * Shows another generation of a tree. Resolves once the kernel has answered every notification about the
   * previous generation.
   */
  async publish(tree: ShownTree, shown: ServedTree, changes: GenerationChanges): Promise<Notified> {
    const { probes } = this.#options;
    const { placement } = tree;
    const previous = tree.show(shown, changes);
    const notified = await this.#notify(tree, previous, changes);
    const replaced: number[] = [];
    for (const index of changes.changedFrom) replaced.push(placement.nodeId(previous, index));
    for (const index of changes.removed) replaced.push(placement.nodeId(previous, index));
    probes.ask(replaced);
    return notified;
  }

  /**
   * Sends the notifications that a predecessor may not have sent: for every difference between its previous
   * generations and the shown ones.
   */
  async settleDebts(debts: readonly Debt[]): Promise<Notified> {
    const settled = await Promise.all(debts.map((debt) => this.#settle(debt)));
    const sum = (of: keyof Notified): number => settled.reduce((all, each) => all + each[of], 0);
    return { sent: sum('sent'), failed: sum('failed') };
  }

  async #settle({ tree, previous }: Debt): Promise<Notified> {
    const notified =
      previous === undefined
        ? { sent: 0, failed: 0 }
        : await this.#notify(tree, previous, diffGenerations(previous, tree.generation));
    this.#options.probes.ask(tree.heldIds());
    return notified;
  }

  async #notify(tree: ShownTree, previous: Generation, changes: GenerationChanges): Promise<Notified> {
    const { notifier } = this.#options;
    const { generation, placement } = tree;
    const revived = (nodeId: number): boolean => tree.revive(nodeId);
    const messages = planNotifications(previous, generation, changes, revived, placement);
    const results = await notifier.send(messages);
    tree.settled();
    return { sent: messages.length, failed: failedOf(results) };
  }
}

/**
 * Counts the notifications that failed. ENOENT is no failure: the kernel had cached nothing under that name.
 */
function failedOf(results: Int32Array): number {
  return results.filter((errno) => errno !== 0 && errno !== ERRNO.ENOENT).length;
}
