import type { Status, TreeStatus } from '../../control/shapes/status.ts';
import { formatAgo, formatCount, formatDuration, formatSize, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import { waitedForText } from '../progress-line.ts';
import { clientCommand } from './client-command.ts';
import { compareTrees, comparisonOf, comparisonText } from './compare-trees.ts';
import { armedText, heldLine, isRefHeld, releaseText } from './release-text.ts';
import { stateText } from './state-text.ts';
import { stuckText } from './stuck-text.ts';

const LABEL_WIDTH = 'generation  '.length;

/**
 * The texts for properties of a store with which the daemon checks versions and content of objects less
 * strictly.
 */
const TRAITS: Readonly<Record<Status['source']['traits'][number], string>> = {
  'own-listing-etags': 'its listings have ETags of their own: size and date are checked',
  'no-md5-etags': 'its ETags are no MD5s: content is checked by length',
};

export const run = clientCommand<Status>({
  name: 'status',
  isOfTree: true,
  ask: (client) => client.ask<Status>('/v1/status'),
  show: (status, { paints, now }) => statusText(status, paints, now),
  compare: async (answered, { paints, now }) => {
    const nodes = answered.map(({ socket, client, answer }) => ({ socket, client, status: answer }));
    const compared = await compareTrees(nodes);
    return {
      text: comparisonText(compared, paints, now),
      members: nodes.map((node) => comparisonOf(node, compared)),
    };
  },
});

export function statusText(status: Status, paints: Paints, now: number): string {
  const { mount, version, pid, startedAt, problems, trees } = status;
  const rows: (readonly [label: string, text: string] | undefined)[] = [
    ['mount', `${mount.source} on ${mount.target}`],
    ['state', stateText(status, paints)],
    trees === undefined ? ['generation', generationText(status, now)] : undefined,
    // A daemon of an earlier version of dagmount does not send `release`.
    status.release ? ['release', releaseText(status.release, now)] : undefined,
    status.release?.armed ? ['armed', paints.yellow(armedText(status.release.armed, now))] : undefined,
    trees === undefined ? ['source', sourceText(status, paints, now)] : undefined,
    // A daemon of an earlier version of dagmount sends neither `stuck` nor `waiting`.
    status.stuck
      ? ['stuck', paints.red(`since ${ago(status.stuck.since, now)}: ${stuckText(status.stuck)}`)]
      : undefined,
    status.held === null || trees !== undefined ? undefined : ['held', heldText(status.held, paints, now)],
    ...(trees ?? []).map((tree) => ['tree', treeText(tree, paints, now)] as const),
    status.waiting && trees === undefined
      ? ['waits for', waitingText(status.waiting, paints, now)]
      : undefined,
    ['cache', cacheText(status)],
    problems === 0
      ? undefined
      : ['problems', paints.yellow(`${plural(problems, 'key')} not shown as it is: see dagmount problems`)],
    ['daemon', `pid ${pid}, version ${version}, started ${ago(startedAt, now)}, ${mount.driver} driver`],
  ];
  return rows
    .flatMap((row) => (row === undefined ? [] : [`${paints.bold(row[0].padEnd(LABEL_WIDTH))}${row[1]}\n`]))
    .join('');
}

/** Formats a tree in one line; `status --tree` shows all details of the tree. */
function treeText(tree: TreeStatus, paints: Paints, now: number): string {
  const { path, address, generation, source, held, waiting } = tree;
  const shown =
    generation === null
      ? paints.yellow('not shown yet')
      : `generation ${generation.number}, ${plural(generation.files, 'file')}`;
  const seen = source.lastSuccessAt === null ? 'never seen' : `as of ${ago(source.lastSuccessAt, now)}`;
  const told = [
    `${paints.bold(path)} from ${address}: ${stateText(tree, paints)}; ${shown}, ${seen}`,
    held === null ? undefined : heldText(held, paints, now),
    waiting === null ? undefined : waitingText(waiting, paints, now),
    source.lastError === null
      ? undefined
      : paints.red(sentences(source.lastError.message, source.lastError.hint)),
  ];
  return told.filter((part) => part !== undefined).join('; ');
}

function generationText({ generation }: Status, now: number): string {
  if (generation === null) return 'none yet';
  const { number, id, publishedAt, files, directories, bytes } = generation;
  const size = `${plural(files, 'file')} (${formatSize(bytes)}), ${directories === 1 ? '1 directory' : `${formatCount(directories)} directories`}`;
  return `${number} ${id}, published ${ago(publishedAt, now)}: ${size}`;
}

function sourceText(status: Status, paints: Paints, now: number): string {
  const { source } = status;
  const { lastSuccessAt, lastError, failingSince, consecutiveFailures } = source;
  const seen = lastSuccessAt === null ? 'never seen' : `as of ${ago(lastSuccessAt, now)}`;
  const told = [
    seen,
    ...(source.traits ?? []).map((trait) => TRAITS[trait]),
    ...credentialsWords(source),
    ...standbyWords(source, now),
  ].join('; ');
  const fresh = `${told}${slowText(status, paints)}`;
  if (lastError === null || failingSince === null) return fresh;
  const failures = plural(consecutiveFailures, 'failure');
  return `${fresh}; ${paints.red(`failing since ${failingSince}, ${ago(failingSince, now)} (${failures}): ${sentences(lastError.message, lastError.hint)}`)}`;
}

function slowText({ degraded, source: { listingSeconds } }: Status, paints: Paints): string {
  if (!degraded.includes('source-slow') || listingSeconds === null) return '';
  return `; ${paints.red(`listing takes ${formatDuration(listingSeconds * 1000)}`)}`;
}

function heldText(held: NonNullable<Status['held']>, paints: Paints, now: number): string {
  const { generation, since, detail, hint, acceptable } = held;
  const when = `since ${since}, ${ago(since, now)}`;
  if (isRefHeld(held)) return paints.red(`${when}: ${sentences(heldLine(held), detail, hint)}`);
  const { files, removed, reason } = held;
  const what = `${generation} ${when}: ${reason}, ${plural(removed, 'file')} would be gone and ${formatCount(files)} left`;
  const way = acceptable === false ? '' : '; dagmount accept shows it';
  return paints.red(sentences(`${what}${way}`, detail, hint));
}

/** Joins texts into sentences, whether or not they end in a full stop. */
function sentences(...texts: readonly (string | null | undefined)[]): string {
  return texts.flatMap((text) => (text ? [/[.!?]$/.test(text) ? text : `${text}.`] : [])).join(' ');
}

function waitingText(waiting: NonNullable<Status['waiting']>, paints: Paints, now: number): string {
  const { since, until } = waiting;
  const end = until === null ? '' : `, until ${until} at the latest`;
  return paints.yellow(`${waitedForText(waiting)}; since ${ago(since, now)}${end}`);
}

function cacheText({ cache }: Status): string {
  const { entries, bytes, limitBytes, hits, misses, evictions, corrupt, pendingFiles, pendingBytes } = cache;
  const pending =
    pendingFiles === 0 ? '' : `, ${plural(pendingFiles, 'file')} (${formatSize(pendingBytes)}) to fetch`;
  return `${plural(entries, 'blob')}, ${formatSize(bytes)} of ${formatSize(limitBytes)}; ${plural(hits, 'hit')}, ${formatCount(misses)} misses, ${formatCount(evictions)} evicted, ${formatCount(corrupt)} corrupt${pending}`;
}

function ago(time: string, now: number): string {
  return formatAgo(Date.parse(time), now);
}

/**
 * Describes the standby source; empty if the mount has none. A daemon of an earlier version of dagmount does
 * not send `standby`.
 */
function standbyWords({ standby }: Status['source'], now: number): readonly string[] {
  if (standby === null || standby === undefined) return [];
  const { source, active, since, checked, firstIsBehind } = standby;
  if (active) {
    const why = firstIsBehind === null ? '' : ` (${firstIsBehind})`;
    return [`read from the standby ${source}${since === null ? '' : `, since ${ago(since, now)}`}${why}`];
  }
  if (checked === null) return [`standby ${source}`];
  const found = checked.error === null ? 'could be used' : `could not be used (${checked.error})`;
  return [`standby ${source} ${found}, ${ago(checked.at, now)}`];
}

/**
 * Describes the credentials and when they expire; empty for credentials that do not expire. Operators need
 * only that time.
 */
function credentialsWords({ credentials }: Status['source']): readonly string[] {
  if (credentials === null || credentials === undefined || credentials.expiresAt === null) return [];
  return [`credentials (${credentials.origin}) valid until ${credentials.expiresAt}`];
}
