import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { childOf } from '../base/waiting.ts';
import { MountError } from '../session/mount-error.ts';
import type { QueueFollower } from '../source/events/follow-queue.ts';
import { failureOf } from '../sync/failure.ts';
import { waitForStore } from '../sync/wait-for-store.ts';
import { serviceStatus } from '../takeover/service-status.ts';
import type { Served } from '../takeover/supervisor/heartbeat.ts';
import type { ComposedTree } from './compose-tree.ts';

/** The parts of a tree that are needed to follow its source. */
export type FollowedTree = Pick<ComposedTree, 'log'> & {
  readonly queue?: Pick<QueueFollower, 'run'> | undefined;
  readonly tree: {
    readonly path: string;
    readonly config: Pick<ComposedTree['tree']['config'], 'waitForStoreMs' | 'pollIntervalMs'>;
  };
  readonly sync: Pick<
    ComposedTree['sync'],
    'start' | 'run' | 'ready' | 'readyAtLast' | 'isRestored' | 'view'
  >;
};

export interface FollowedTreesOptions<Tree extends FollowedTree> {
  /** One tree that is the whole mount, or several trees. */
  readonly trees: readonly Tree[];
  /** Called once for each tree, as soon as it is shown. */
  readonly onShown: (tree: Tree) => Promise<void>;
  readonly clock: Clock;
  /** The mount's log. */
  readonly log: Logger;
  /** Aborted when the mount is to end. */
  readonly over: AbortSignal;
  /** Aborts `over`, with the error as the reason. */
  readonly failed: AbortController;
  /** Whether no server has served the mount before. */
  readonly isFirst: boolean;
}

/**
 * Shows the trees of a mount, and follows their sources. Trees do not wait for each other. A tree that cannot be shown
 * is retried; the mount ends only if none of its trees can be shown.
 */
export class FollowedTrees<Tree extends FollowedTree> {
  readonly #options: FollowedTreesOptions<Tree>;
  /** The trees that cannot be shown, each with its last error. */
  readonly #unshown = new Map<Tree, unknown>();

  constructor(options: FollowedTreesOptions<Tree>) {
    this.#options = options;
  }

  /**
   * Resolves when all content that must be fetched is local, for all trees. Content that cannot be read is
   * retried. Rejects, which ends the mount, only if all of these hold: the tree is the whole mount, this is a
   * first start, and none of the tree's content can be read (or, of a release, not all of it). A tree that was
   * kept, or that an earlier server has shown, stays mounted.
   */
  get ready(): Promise<void> {
    const { trees, log } = this.#options;
    return Promise.all(trees.map((tree) => this.#ready(tree))).then(() => {
      if (!trees.every(isWhole)) log.info({ event: 'ready' }, 'ready');
    });
  }

  /**
   * Shows all trees and follows their sources. Resolves when the mount is over. Rejects with the error that
   * ends a tree which is the whole mount.
   */
  async run(): Promise<void> {
    const { trees, over, failed } = this.#options;
    await Promise.all(
      trees.map(async (tree) => {
        try {
          await this.#follow(tree);
        } catch (error) {
          if (isWhole(tree)) throw error;
          if (!over.aborted) failed.abort(error);
        }
      }),
    );
  }

  async #follow(tree: Tree): Promise<void> {
    const { onShown, over } = this.#options;
    await this.#start(tree);
    this.#unshown.delete(tree);
    await onShown(tree);
    const following = childOf(over);
    const followed = tree.queue?.run(following.controller.signal);
    try {
      await tree.sync.run(over);
    } finally {
      following.controller.abort();
      following.release();
      await followed;
    }
  }

  async #start(tree: Tree): Promise<void> {
    const { clock, over } = this.#options;
    const { waitForStoreMs: waitMs, pollIntervalMs } = tree.tree.config;
    for (;;) {
      try {
        return await waitForStore(() => tree.sync.start(over), { waitMs, clock, log: tree.log }, over);
      } catch (error) {
        if (isWhole(tree) || over.aborted || error instanceof MountError) throw error;
        this.#notShown(tree, error);
      }
      await clock.sleep(pollIntervalMs, over);
    }
  }

  /** Records and logs that a tree cannot be shown. Throws the error if no tree can be shown. */
  #notShown(tree: Tree, error: unknown): void {
    const { trees } = this.#options;
    const { code, message, hint } = failureOf(error);
    const before = this.#unshown.get(tree);
    this.#unshown.set(tree, error);
    if (this.#unshown.size === trees.length) throw error;
    const line = { event: 'tree-not-shown', code, detail: message, hint } as const;
    const text = 'a tree cannot be shown yet; the others are, and it is tried again';
    if (before !== undefined && failureOf(before).code === code) tree.log.debug(line, text);
    else tree.log.warn(line, text);
  }

  async #ready(tree: Tree): Promise<void> {
    const { log, sync } = tree;
    const isFirstStart = this.#options.isFirst && !sync.isRestored;
    try {
      await sync.ready;
    } catch (error) {
      if (!isWhole(tree)) {
        const { code, message, hint } = failureOf(error);
        log.warn(
          { event: 'tree-not-ready', code, detail: message, hint },
          'nothing of a tree can be read yet',
        );
      } else if (isFirstStart) throw error;
      await sync.readyAtLast;
    }
    const { generation, cacheTooSmall } = sync.view;
    if (isWhole(tree)) log.info({ event: 'ready', generation, cacheTooSmall }, 'ready');
    else log.info({ event: 'tree-ready', generation, cacheTooSmall }, 'a tree is ready');
  }
}

/** The readiness and the status of a mount's trees, as reported to the supervisor. */
export function servedTrees(trees: readonly Pick<FollowedTree, 'tree' | 'sync'>[]): Served {
  const ready = Promise.all(trees.map(({ sync }) => sync.ready.catch(() => sync.readyAtLast)));
  return {
    ready,
    status: () =>
      trees
        .map(({ tree, sync }) => `${tree.path === '' ? '' : `${tree.path}: `}${serviceStatus(sync.view)}`)
        .join(' | '),
  };
}

function isWhole({ tree }: FollowedTree): boolean {
  return tree.path === '';
}
