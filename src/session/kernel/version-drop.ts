import { ERRNO, encodePrune, encodeStore } from '../../wire/index.ts';
import type { Moment } from '../messages.ts';
import type { VersionTable, VersionTree } from '../trees/version-table.ts';

/** Node ids that one message asks the kernel to prune. */
const PRUNED_AT_ONCE = 256;

export interface VersionDropOptions {
  readonly table: VersionTable;
  /** Sends notifications; resolves with 0 or an errno of each. */
  readonly ask: (messages: readonly Uint8Array[]) => Promise<Int32Array>;
}

/**
 * Lets versions go that the kernel holds nothing of. Names are never invalidated for that: it would take the lock of
 * `versions/`, and would detach a process that stands in the version. A kernel that can (7.45) first drops what it caches
 * and nobody uses; an older one does so by itself, when it needs the memory.
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
    // Whatever was answered meanwhile may have given the kernel a node of it.
    if (isHeld || tree.wasAsked) return false;
    table.remove(id, changedAt);
    return true;
  }
}

/** A directory stays in the kernel as long as a name below it does. */
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
