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

/** One node compared with the node that has the newest tree. Undefined: it shows no tree yet. */
export interface Standing {
  /** Id of the newest tree among the nodes. */
  readonly newest: string;
  readonly lags: boolean;
  /**
   * If the node lags: when the newest node stopped showing this tree, or if unknown, when it began to show the newest
   * tree (the latest possible time). Otherwise when this node began to show it. By the clock of the node that reports
   * it.
   */
  readonly since: string;
  /** Whether it has lagged for longer than `since` says, by an unknown time. */
  readonly orLonger: boolean;
  /** Publications of the newest node that this node lacks; null if unknown. */
  readonly generationsBehind: number | null;
  /** Paths in the newest tree that differ in this node's; null if unknown. */
  readonly changes: TreeChanges | null;
}

interface Known extends DaemonNode {
  /** The newest entry first; the first one is shown now. */
  readonly history: readonly HistoryItem[];
}

const SAME: TreeChanges = { added: [], changed: [], removed: [] };

/** Which nodes lag, since when and by which paths. In the order of the nodes. */
export async function compareNodes(nodes: readonly DaemonNode[]): Promise<readonly (Standing | undefined)[]> {
  const known = await Promise.all(nodes.map(async (node) => ({ ...node, history: await historyOf(node) })));
  const newest = newestOf(known);
  if (newest === undefined) return nodes.map(() => undefined);
  return await Promise.all(known.map((node) => standingOf(node, newest)));
}

/** If a node ends meanwhile, its history is empty: its status was received before, so its shown tree is known. */
async function historyOf({ client, status }: DaemonNode): Promise<readonly HistoryItem[]> {
  const current = status.generation;
  if (current === null) return [];
  const kept = await generationsOf(client).catch(() => []);
  // Ignore publications since its status was requested: status and history must match.
  const until = kept.findIndex(({ number, id }) => number === current.number && id === current.id);
  return until >= 0 ? kept.slice(until) : [{ ...current, added: 0, changed: 0, removed: 0 }];
}

/**
 * The node whose tree is newest. A tree that a node showed before its current one is older than that: this needs no
 * synchronized clocks. If the histories do not decide, or a tree went and came back, times decide.
 */
function newestOf(nodes: readonly Known[]): Known | undefined {
  const shown = nodes.filter(({ history }) => history.length > 0);
  const released = newestReleaseOf(shown);
  if (released !== undefined) return released;
  const last = shown.filter((node) => !shown.some((other) => isPast(node, other)));
  // Empty only if clocks disagree about a tree that came back.
  const candidates = last.length > 0 ? last : shown;
  return candidates.reduce<Known | undefined>(
    (best, node) => (best === undefined || isFresher(node, best) ? node : best),
    undefined,
  );
}

/** If all nodes show the same environment of the same root, its step numbers decide; otherwise undefined. */
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

/** Whether `other` showed this node's tree and then another one. */
function isPast(node: Known, other: Known): boolean {
  const left = leftAt(other, idOf(node));
  if (left === undefined) return false;
  const back = leftAt(node, idOf(other));
  return back === undefined || left > back;
}

/**
 * When a node stopped showing a tree, in milliseconds; undefined if it still shows it, or if its kept history lacks it.
 */
function leftAt({ history }: Known, id: string): number | undefined {
  const at = history.findIndex((item) => item.id === id);
  const successor = history[at - 1];
  return successor === undefined ? undefined : Date.parse(successor.publishedAt);
}

/**
 * Of two nodes with the same tree, the one that showed it first is fresher; otherwise the one whose tree was later in
 * the store, as far as known.
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

/** Uses the history of a node that showed both trees; if there is none, compares the trees. */
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
