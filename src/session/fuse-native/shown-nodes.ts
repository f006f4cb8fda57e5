import type { Generation } from '../../tree/index.ts';
import type { MountedTrees } from '../trees/mounted-trees.ts';
import type { Node } from '../trees/node.ts';

/** A node that a path can lead to. */
export type ShownNode = Extract<Node, { readonly kind: 'entry' | 'own' }>;

export interface Listed {
  readonly parent: ShownNode;
  readonly children: readonly { readonly name: string; readonly node: ShownNode }[];
}

/** Returns the listing of a directory, or undefined if the node is a file. */
export function listedOf(trees: MountedTrees, node: ShownNode): Listed | undefined {
  if (node.kind === 'own') {
    const { directory } = node;
    const parent = trees.node(directory.parentId);
    const children: { name: string; node: ShownNode }[] = [];
    for (const { name, node: child } of trees.ownChildren(directory, 0)) {
      if (isShown(child)) children.push({ name: Buffer.from(name).toString(), node: child });
    }
    return { parent: parent !== undefined && isShown(parent) ? parent : node, children };
  }
  const { tree, index } = node;
  const { generation, placement } = tree;
  if (!generation.isDirectory(index)) return undefined;
  const above = trees.node(placement.parentNodeId(generation, index));
  const children: { name: string; node: ShownNode }[] = [];
  const end = generation.childrenEnd(index);
  for (let child = generation.childrenStart(index); child < end; child++)
    children.push({ name: nameOf(generation, child), node: { kind: 'entry', tree, index: child } });
  return { parent: above !== undefined && isShown(above) ? above : node, children };
}

export function isShown(node: Node): node is ShownNode {
  return node.kind === 'entry' || node.kind === 'own';
}

export function nodeIdOf(node: ShownNode): number {
  return node.kind === 'own'
    ? node.directory.nodeId
    : node.tree.placement.nodeId(node.tree.generation, node.index);
}

/**
 * Returns the inode number for a node id. fuse-native has 32 bits for an inode number. Node ids from 2^31 on
 * are folded into the upper half of these numbers, where two node ids can collide.
 */
export function inodeNumber(nodeId: number): number {
  if (nodeId < 2 ** 31) return nodeId;
  const high = Math.floor(nodeId / 2 ** 32);
  return 2 ** 31 + (((nodeId ^ Math.imul(high, 0x9e3779b1)) >>> 0) % 2 ** 31);
}

function nameOf(generation: Generation, index: number): string {
  const { buffer, byteOffset, byteLength } = generation.name(index);
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}
