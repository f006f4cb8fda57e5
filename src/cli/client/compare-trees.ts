import { printableName } from '../../base/printable.ts';
import type { Status } from '../../control/shapes/status.ts';
import type { Paints } from '../paint.ts';
import { compareNodes, type DaemonNode, type Standing } from './compare-nodes.ts';
import { nodesText } from './nodes-text.ts';
import { shownAnswer } from './shown-answer.ts';

/** A tree, and the comparison of the nodes that show it. */
export interface TreeComparison {
  /** The tree's directory; '' for mounts that show a single tree. */
  readonly path: string;
  /** The nodes that show the tree. */
  readonly nodes: readonly DaemonNode[];
  readonly standings: readonly (Standing | undefined)[];
}

/** Compares the nodes tree by tree, in the order of the trees' directories. */
export async function compareTrees(nodes: readonly DaemonNode[]): Promise<readonly TreeComparison[]> {
  const paths = new Set(nodes.flatMap(({ status }) => status.trees?.map(({ path }) => path) ?? ['']));
  return await Promise.all(
    [...paths].sort().map(async (path) => {
      const asked = await Promise.all(nodes.map((node) => inTree(node, path)));
      const shown = asked.filter((node) => node !== undefined);
      return { path, nodes: shown, standings: await compareNodes(shown) };
    }),
  );
}

/**
 * Returns the node with the status of its tree at this path. Returns undefined if the node has no such tree,
 * or does not answer any more.
 */
async function inTree(node: DaemonNode, path: string): Promise<DaemonNode | undefined> {
  const { status, socket } = node;
  if (path === '') return status.trees === undefined ? node : undefined;
  if (!status.trees?.some((tree) => tree.path === path)) return undefined;
  const client = node.client.inTree(path);
  const ofTree = await client.ask<Status>('/v1/status').catch(() => undefined);
  return ofTree && { socket, client, status: ofTree };
}

/** Formats a table of the nodes for each tree. */
export function comparisonText(compared: readonly TreeComparison[], paints: Paints, now: number): string {
  return compared
    .map(({ path, nodes, standings }) => {
      const heading = path === '' ? '' : `${paints.bold(`Tree ${printableName(path)}`)}\n`;
      return heading + nodesText(shownAnswer(nodes), shownAnswer(standings), paints, now);
    })
    .join('\n');
}

/**
 * Returns the comparison that --json adds to the status of a node. If the node shows several trees, returns a
 * comparison for each of its trees.
 */
export function comparisonOf(
  { socket, status }: DaemonNode,
  compared: readonly TreeComparison[],
):
  | { readonly comparison: Standing | null }
  | { readonly comparisons: Readonly<Record<string, Standing | null>> } {
  const standing = ({ nodes, standings }: TreeComparison): Standing | null =>
    standings[nodes.findIndex((node) => node.socket === socket)] ?? null;
  if (status.trees === undefined) {
    const whole = compared.find(({ path }) => path === '');
    return { comparison: whole === undefined ? null : standing(whole) };
  }
  const own = status.trees.map(({ path }) => path);
  const ofOwn = compared.filter(({ path }) => own.includes(path));
  return { comparisons: Object.fromEntries(ofOwn.map((each) => [each.path, standing(each)])) };
}
