import type { Columns } from './columns.ts';
import type { Generation } from './generation.ts';
import { NONE } from './layout.ts';
import { TreeError } from './tree-error.ts';

export const ROOT_NODE_ID = 1;

/**
 * Assigns every entry its node id. An entry that `previous` also has (its origin) keeps its id. A directory
 * that was removed and returns gets its old id. All others get new ids, in the order of their indices.
 * Returns the next free id.
 *
 * Throws TreeError `bad-state` if `nextNodeId` or the id of a removed directory is in use, or if `nextNodeId`
 * cannot be a node id.
 */
export function assignNodeIds(
  columns: Columns,
  generation: Generation,
  previous: Generation | undefined,
  origin: Uint32Array | undefined,
  removedDirectories: ReadonlyMap<string, number>,
  nextNodeId: number,
): number {
  const { nodeIds } = columns;
  const { entries } = generation;
  const returned: number[] = [];
  const fresh: number[] = [];
  let next = nextNodeId;
  for (let i = 0; i < entries; i++) {
    const from = origin?.[i] ?? NONE;
    if (i === 0) {
      nodeIds[i] = ROOT_NODE_ID;
    } else if (previous !== undefined && from !== NONE) {
      nodeIds[i] = previous.nodeId(from);
    } else {
      const old =
        removedDirectories.size > 0 && generation.isDirectory(i)
          ? removedDirectories.get(generation.path(i))
          : undefined;
      nodeIds[i] = old ?? next++;
      (old === undefined ? fresh : returned).push(i);
    }
  }
  returned.sort((a, b) => nodeIds[a]! - nodeIds[b]!);
  const kept = previous === undefined || origin === undefined ? [0] : keptByNode(entries, previous, origin);
  mergeByNode(columns, kept, returned, fresh);
  checkNodeIds(columns, entries, nextNodeId, next);
  return next;
}

/**
 * Returns the entries with an origin by ascending node id. This is the order in `previous` without the
 * removed entries, so nothing is sorted.
 */
function keptByNode(entries: number, previous: Generation, origin: Uint32Array): Uint32Array {
  const successor = new Uint32Array(previous.entries).fill(NONE);
  for (let i = 0; i < entries; i++) if (origin[i] !== NONE) successor[origin[i]!] = i;
  const kept = new Uint32Array(entries);
  let count = 0;
  for (let rank = 0; rank < previous.entries; rank++) {
    const i = successor[previous.entryByNodeRank(rank)]!;
    if (i !== NONE) kept[count++] = i;
  }
  return kept.subarray(0, count);
}

function mergeByNode(
  { byNode, nodeIds }: Columns,
  kept: ArrayLike<number>,
  returned: readonly number[],
  fresh: readonly number[],
): void {
  let used = 0;
  let at = 0;
  for (let i = 0; i < kept.length; i++) {
    while (at < returned.length && nodeIds[returned[at]!]! < nodeIds[kept[i]!]!)
      byNode[used++] = returned[at++]!;
    byNode[used++] = kept[i]!;
  }
  while (at < returned.length) byNode[used++] = returned[at++]!;
  for (const i of fresh) byNode[used++] = i;
}

function checkNodeIds({ byNode, nodeIds }: Columns, entries: number, nextNodeId: number, next: number): void {
  if (!Number.isSafeInteger(nextNodeId) || nextNodeId <= ROOT_NODE_ID || !Number.isSafeInteger(next)) {
    throw new TreeError('bad-state', `${nextNodeId} cannot be the next node id`);
  }
  for (let rank = 1; rank < entries; rank++) {
    const id = nodeIds[byNode[rank]!]!;
    if (!(id > nodeIds[byNode[rank - 1]!]!)) throw new TreeError('bad-state', `node id ${id} is used twice`);
  }
}
