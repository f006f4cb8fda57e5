import { formatAgo, formatTable, plural } from '../format.ts';
import { type Paints, paintsFor } from '../paint.ts';
import type { DaemonNode, Standing } from './compare-nodes.ts';
import { changeLines } from './diff.ts';
import { releaseLine } from './release-text.ts';
import { stateText } from './state-text.ts';
import type { TreeChanges } from './tree-changes.ts';

/** Maximum number of paths shown for each node; dagmount diff shows them all. */
const MOST_PATHS = 20;
/** Length of a shortened generation id that people compare. */
const SHORT_ID = 12;

const plain = paintsFor({ colours: false });

/** Formats a table with a row for each node, then the details of the nodes that lag. */
export function nodesText(
  nodes: readonly DaemonNode[],
  standings: readonly (Standing | undefined)[],
  paints: Paints,
  now: number,
): string {
  if (nodes.length === 0) return '';
  const named = nodes.some(({ status }) => status.release);
  const rows = nodes.map(({ socket, status }, at) => [
    ...rowOf(socket, status, standings[at], now),
    ...(named ? [status.release ? `${status.release.ref}, ${releaseLine(status.release)}` : '-'] : []),
  ]);
  const titles = ['SOCKET', 'TREE', 'NUMBER', 'PUBLISHED', 'STORE SEEN', 'STATE'];
  const table = formatTable(named ? [...titles, 'RELEASE'] : titles, rows);
  const [header = '', ...lines] = table.split('\n');
  const lag = nodes.flatMap((node, at) => {
    const standing = standings[at];
    return standing?.lags === true ? [`\n${lagText(node, standing, paints, now)}`] : [];
  });
  return `${paints.bold(header)}\n${lines.join('\n')}\n${verdict(nodes, standings, paints, now)}${lag.join('')}`;
}

function rowOf(
  socket: string,
  status: DaemonNode['status'],
  standing: Standing | undefined,
  now: number,
): readonly string[] {
  const { generation, source } = status;
  const seen = source.lastSuccessAt === null ? 'never' : ago(source.lastSuccessAt, now);
  const state = standing?.lags === true ? `lags, ${stateText(status, plain)}` : stateText(status, plain);
  return generation === null
    ? [socket, '-', '-', '-', seen, state]
    : [
        socket,
        generation.id.slice(0, SHORT_ID),
        String(generation.number),
        ago(generation.publishedAt, now),
        seen,
        state,
      ];
}

function verdict(
  nodes: readonly DaemonNode[],
  standings: readonly (Standing | undefined)[],
  paints: Paints,
  now: number,
): string {
  const current = standings.filter((standing) => standing?.lags === false);
  const [newest] = current;
  if (newest === undefined) return 'No tree is shown yet.\n';
  const sources = new Set(nodes.map(({ status }) => status.mount.source));
  const others =
    sources.size === 1
      ? ''
      : `They show ${sources.size} sources, whose trees need not be equal: ${[...sources].join(', ')}.\n`;
  if (current.length === nodes.length) {
    const since = current.reduce(
      (last, each) => (each !== undefined && each.since > last ? each.since : last),
      '',
    );
    const who =
      nodes.length === 1
        ? 'The only node that answered shows'
        : `All ${nodes.length} nodes that answered show`;
    return `${paints.green(`${who} the tree ${newest.newest}`)}, since ${since}, ${ago(since, now)}.\n${others}`;
  }
  return `${paints.red(`${current.length} of ${nodes.length} nodes show the newest tree, ${newest.newest}`)}.\n${others}`;
}

function lagText(
  { socket, status }: DaemonNode,
  { newest, since, orLonger, generationsBehind, changes }: Standing,
  paints: Paints,
  now: number,
): string {
  const long = orLonger ? ' or longer' : '';
  const behind = generationsBehind === null ? '' : `, by ${plural(generationsBehind, 'generation')}`;
  const heading = `${socket} lags since ${since}, ${ago(since, now)}${long}${behind}${pathCount(changes)}:\n`;
  return (
    paints.bold(heading) + reasonText(status) + pathsText(changes, status.generation?.id, newest, paints)
  );
}

function pathCount(changes: TreeChanges | null): string {
  return changes === null ? '' : `, ${plural(sizeOf(changes), 'path')}`;
}

function reasonText({ held, source }: DaemonNode['status']): string {
  if (held !== null) {
    const what =
      source.kind === 'release'
        ? `a release back since ${held.since} (${held.reason})`
        : `a listing back since ${held.since}`;
    return `  It holds ${what}: see dagmount status, then dagmount accept.\n`;
  }
  const { lastError, failingSince } = source;
  return lastError === null || failingSince === null
    ? ''
    : `  It cannot look at the store since ${failingSince}: ${lastError.message}\n`;
}

function pathsText(
  changes: TreeChanges | null,
  own: string | undefined,
  newest: string,
  paints: Paints,
): string {
  if (changes === null) return '  By which paths is not known: no node keeps both trees.\n';
  const lines = changeLines(changes, paints);
  const shown = lines.slice(0, MOST_PATHS).map((line) => `  ${line}\n`);
  const more = lines.length - shown.length;
  const where = `dagmount diff ${own?.slice(0, SHORT_ID)} ${newest.slice(0, SHORT_ID)}`;
  return shown.join('') + (more > 0 ? `  and ${plural(more, 'path')} more: --json, or ${where}\n` : '');
}

function sizeOf({ added, changed, removed }: TreeChanges): number {
  return added.length + changed.length + removed.length;
}

function ago(time: string, now: number): string {
  return formatAgo(Date.parse(time), now);
}
