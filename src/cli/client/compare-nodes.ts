import type { ControlClient } from '../../control/client.ts';
import type { Changes, HistoryItem, Status } from '../../control/shapes/status.ts';
import { changesBetween } from './diff.ts';
import { generationsOf } from './generations.ts';
import { differingPaths, type TreeChanges } from './tree-changes.ts';

/** A daemon that answered. */
export interface DaemonNode {
  readonly socket: string;
  readonly client: ControlClient;
  readonly status: Status;
}

/**
 * One node, compared with the node that shows the newest tree. A node that shows no tree yet has undefined
 * instead of a Standing.
 */
export interface Standing {
  /** Id of the newest tree among the nodes. */
  readonly newest: string;
  readonly lags: boolean;
  /**
   * If the node lags: when the newest node stopped showing the tree that this node shows, by the clock of the
   * newest node. If that time is unknown: when the newest node began to show the newest tree, which is the
   * latest possible time. If the node does not lag: when this node began to show the newest tree, by its own
   * clock.
   */
  readonly since: string;
  /** Whether the node may have lagged for longer than `since` says, by an unknown time. */
  readonly orLonger: boolean;
  /** Publications of the newest node that this node lacks; null if unknown. */
  readonly generationsBehind: number | null;
  /** The paths that differ between this node's tree and the newest tree; null if unknown. */
  readonly changes: TreeChanges | null;
}

interface Known extends DaemonNode {
  /** The publications of the node, the newest first. The node shows the first of them now. */
  readonly history: readonly HistoryItem[];
}

const SAME: TreeChanges = { added: [], changed: [], removed: [] };

/**
 * Finds out which nodes lag, since when, and by which paths. Returns the results in the order of the nodes.
 */
export async function compareNodes(nodes: readonly DaemonNode[]): Promise<readonly (Standing | undefined)[]> {
  const known = await Promise.all(nodes.map(async (node) => ({ ...node, history: await historyOf(node) })));
  const newest = newestOf(known);
  if (newest === undefined) return nodes.map(() => undefined);
  return await Promise.all(known.map((node) => standingOf(node, newest)));
}

/**
 * Returns the publications of a node up to the tree in its status; empty if the node shows no tree yet. If
 * the node ends meanwhile, or does not list that tree, returns only the tree in its status.
 */
async function historyOf({ client, status }: DaemonNode): Promise<readonly HistoryItem[]> {
  const current = status.generation;
  if (current === null) return [];
  const kept = await generationsOf(client).catch(() => []);
  // Leaves out publications that are newer than the status, because status and history must match.
  const until = kept.findIndex(({ number, id }) => number === current.number && id === current.id);
  return until >= 0 ? kept.slice(until) : [{ ...current, added: 0, changed: 0, removed: 0 }];
}

/**
 * Returns the node that shows the newest tree. A tree that some node showed before its current tree is older
 * than that current tree; this rule needs no synchronized clocks. Times decide only if the histories do not
 * decide, or if a tree was replaced and shown again.
 */
function newestOf(nodes: readonly Known[]): Known | undefined {
  const shown = nodes.filter(({ history }) => history.length > 0);
  const released = newestReleaseOf(shown);
  if (released !== undefined) return released;
  const last = shown.filter((node) => !shown.some((other) => isPast(node, other)));
  // `last` is empty only if clocks disagree about a tree that was replaced and shown again.
  const candidates = last.length > 0 ? last : shown;
  return candidates.reduce<Known | undefined>(
    (best, node) => (best === undefined || isFresher(node, best) ? node : best),
    undefined,
  );
}

/**
 * Returns the node with the highest step number, if all nodes show the same environment of the same release
 * root; otherwise undefined. Of several nodes with that number, returns the one that showed the step first.
 */
function newestReleaseOf(shown: readonly Known[]): Known | undefined {
  const [first] = shown;
  if (first?.status.release === undefined || first.status.release === null) return undefined;
  const { ref } = first.status.release;
  const { source } = first.status.mount;
  const isSame = ({ status }: Known): boolean =>
    status.release?.ref === ref && status.mount.source === source;
  if (!shown.every(isSame)) return undefined;
  return shown.reduce((best, node) => {
    const difference = sequenceOf(node) - sequenceOf(best);
    return difference > 0 || (difference === 0 && publishedAt(node) < publishedAt(best)) ? node : best;
  });
}

function sequenceOf({ status }: Known): number {
  return status.release?.seq ?? 0;
}

/**
 * Whether `other` has replaced the tree that `node` shows. If each node has replaced the tree that the other
 * node shows, the later of the two replacements decides.
 */
function isPast(node: Known, other: Known): boolean {
  const left = leftAt(other, idOf(node));
  if (left === undefined) return false;
  const back = leftAt(node, idOf(other));
  return back === undefined || left > back;
}

/**
 * Returns when a node stopped showing a tree, in milliseconds since the epoch. Returns undefined if the node
 * still shows the tree, or if its history does not have the tree.
 */
function leftAt({ history }: Known, id: string): number | undefined {
  const at = history.findIndex((item) => item.id === id);
  const successor = history[at - 1];
  return successor === undefined ? undefined : Date.parse(successor.publishedAt);
}

/**
 * Whether the tree of `one` counts as fresher than the tree of `other`. If both nodes show the same tree, the
 * node that showed it first is fresher. Otherwise the node that last saw its tree in the store at the later
 * time is fresher; if these times are equal, the node that published later.
 */
function isFresher(one: Known, other: Known): boolean {
  if (idOf(one) === idOf(other)) return publishedAt(one) < publishedAt(other);
  const difference = asOf(one.status) - asOf(other.status);
  return difference === 0 ? publishedAt(one) > publishedAt(other) : difference > 0;
}

function asOf({ held, source }: Status): number {
  return Date.parse(held?.since ?? source.lastSuccessAt ?? '') || 0;
}

function idOf({ history }: Known): string {
  return history[0]?.id ?? '';
}

function publishedAt({ history }: Known): number {
  return Date.parse(history[0]?.publishedAt ?? '');
}

async function standingOf(node: Known, newest: Known): Promise<Standing | undefined> {
  const [own] = node.history;
  const [current] = newest.history;
  if (own === undefined || current === undefined) return undefined;
  const { id } = current;
  if (own.id === id) {
    const changes = SAME;
    return {
      newest: id,
      lags: false,
      since: own.publishedAt,
      orLonger: false,
      generationsBehind: 0,
      changes,
    };
  }
  const at = newest.history.findIndex((item) => item.id === own.id);
  return {
    newest: id,
    lags: true,
    since: (newest.history[at - 1] ?? current).publishedAt,
    orLonger: at < 0,
    generationsBehind: at < 0 ? null : at,
    changes: await changesFrom(node, newest, own.id, id),
  };
}

/**
 * Returns the paths that differ between the two trees; null if unknown. Asks a node that showed both trees.
 * If there is no such node, or it does not answer, compares the listings of the two trees.
 */
async function changesFrom(
  node: Known,
  newest: Known,
  since: string,
  to: string,
): Promise<TreeChanges | null> {
  for (const { client, history } of [newest, node]) {
    if (!history.some(({ id }) => id === since) || !history.some(({ id }) => id === to)) continue;
    const changes = await changesBetween(client, since, to).catch((): Changes | undefined => undefined);
    if (changes !== undefined) {
      const { added, changed, removed } = changes;
      return { added, changed, removed };
    }
  }
  return await differingPaths(node, newest);
}
