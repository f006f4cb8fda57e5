import { ERRNO, encodePrune, encodeStore } from '../../wire/index.ts';
import type { Moment } from '../messages.ts';
import type { VersionTable, VersionTree } from '../trees/version-table.ts';

/** Node ids in one message that asks the kernel to prune. */
const PRUNED_AT_ONCE = 256;

export interface VersionDropOptions {
  readonly table: VersionTable;
  /** Sends notifications; resolves with 0 or an errno for each. */
  readonly ask: (messages: readonly Uint8Array[]) => Promise<Int32Array>;
}

/**
 * Drops versions (trees of releases) of which the kernel holds no node. To achieve that, it never invalidates
 * names: an invalidation takes the lock of `versions/`, and would detach a process whose working directory is
 * in the version. A kernel with FUSE 7.45 first drops the cached nodes that nothing uses, because it is asked
 * to prune them. An older kernel drops such nodes only when it needs memory.
 */
export class VersionDrop {
  readonly #options: VersionDropOptions;

  constructor(options: VersionDropOptions) {
    this.#options = options;
  }

  async drop(id: string, changedAt: Moment): Promise<boolean> {
    const { table, ask } = this.#options;
    const tree = table.version(id);
    if (tree === undefined) return true;
    tree.wasAsked = false;
    const nodeIds = leavesFirst(tree);
    await ask(prunes(nodeIds));
    const results = await ask(nodeIds.map((nodeId) => encodeStore(nodeId, 0)));
    const isHeld = results.some((errno) => errno !== ERRNO.ENOENT);
    // A reply during the query may have given the kernel a node of this version.
    if (isHeld || tree.wasAsked) return false;
    table.remove(id, changedAt);
    return true;
  }
}

/**
 * Returns the node ids of a version, entries before their directories, because the kernel keeps a directory
 * while it caches a name in it.
 */
function leavesFirst({ generation, placement }: VersionTree): readonly number[] {
  const nodeIds: number[] = [];
  for (let index = generation.entries - 1; index >= 0; index--)
    nodeIds.push(placement.nodeId(generation, index));
  return nodeIds;
}

function prunes(nodeIds: readonly number[]): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < nodeIds.length; at += PRUNED_AT_ONCE)
    messages.push(encodePrune(nodeIds.slice(at, at + PRUNED_AT_ONCE)));
  return messages;
}
