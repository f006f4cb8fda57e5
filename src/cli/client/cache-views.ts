import type { BlobItem, CacheTotals } from '../../control/shapes/cache.ts';
import { formatCount, formatSize, formatTable, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import { clientCommand } from './client-command.ts';
import { askEachTree, type ListOfTrees, listEachTree } from './each-tree.ts';

const LABEL_WIDTH = 'directory  '.length;

/**
 * The totals of each tree's cache. The answer has this form if the mount shows several trees and the command
 * line has no --tree.
 */
interface TotalsOfTrees {
  readonly trees: readonly (CacheTotals & { readonly path: string })[];
}

export const runCacheStats = clientCommand<CacheTotals | TotalsOfTrees>({
  name: 'cache',
  isOfTree: true,
  ask: async (client) => {
    const totals = await askEachTree(client, (asked) => asked.ask<CacheTotals>('/v1/cache'));
    const [first] = totals;
    if (first !== undefined && first.tree === undefined) return first.answer;
    return { trees: totals.map(({ tree, answer }) => ({ path: tree ?? '', ...answer })) };
  },
  show: (totals, { paints }) =>
    'trees' in totals
      ? totals.trees
          .map((tree) => `${paints.bold(`Tree ${tree.path}`)}\n${totalsText(tree, paints)}`)
          .join('\n')
      : totalsText(totals, paints),
});

/** Lists the blobs of the cache, the most recently used blob first. */
export const runCacheBlobs = clientCommand<ListOfTrees<BlobItem>>({
  name: 'cache',
  isOfTree: true,
  ask: (client) => listEachTree(client, '/v1/cache/blobs'),
  show: ({ items }) =>
    items.length === 0
      ? 'The cache is empty.\n'
      : formatTable(
          ['SIZE', 'RANK', 'PINNED', 'CHECKED', 'PATH'],
          items.map(({ tree, bytes, rank, pinned, verified, path, chunk, key }) => [
            formatSize(bytes),
            rank,
            pinned ? 'yes' : '-',
            verified ? 'yes' : '-',
            `${tree === undefined ? '' : `${tree}/`}${path ?? `(${key})`}${chunk === null ? '' : ` [part ${chunk}]`}`,
          ]),
        ),
});

function totalsText(totals: CacheTotals, paints: Paints): string {
  const { directory, entries, bytes, limitBytes, ranks, pinned, pinnedBytes, pinnedPaths, degraded } = totals;
  const { hits, misses, evictions, corrupt, passedThrough, pendingFiles, pendingBytes } = totals;
  const share = limitBytes === 0 ? '' : ` (${((bytes / limitBytes) * 100).toFixed(1)} %)`;
  const rows: (readonly [label: string, text: string] | undefined)[] = [
    ['directory', directory],
    degraded.length === 0 ? undefined : ['degraded', paints.red(degraded.join(', '))],
    ['content', `${plural(entries, 'blob')}, ${formatSize(bytes)} of ${formatSize(limitBytes)}${share}`],
    ['kept', `${amount(ranks.kept)}: shown within the prefetch bound, or pinned`],
    ['past', `${amount(ranks.past)}: shown, past the bound; evicted where room is needed`],
    // A daemon of an earlier version of dagmount does not send the rank `beside`.
    (ranks.beside?.entries ?? 0) === 0
      ? undefined
      : ['beside', `${amount(ranks.beside)}: of versions beside the current tree; evicted before it`],
    ['hidden', `${amount(ranks.hidden)}: not shown; evicted first`],
    ['pinned', `${plural(pinned, 'blob')}, ${formatSize(pinnedBytes)}; ${plural(pinnedPaths, 'path')} named`],
    ['asked', `${plural(hits, 'hit')}, ${formatCount(misses)} misses${rateText(hits, misses)}`],
    [
      'lost',
      `${formatCount(evictions)} evicted, ${formatCount(corrupt)} corrupt, ${formatCount(passedThrough)} not kept`,
    ],
    pendingFiles === 0
      ? ['pending', 'nothing']
      : ['pending', `${plural(pendingFiles, 'file')}, ${formatSize(pendingBytes)} to fetch`],
  ];
  return rows
    .flatMap((row) => (row === undefined ? [] : [`${paints.bold(row[0].padEnd(LABEL_WIDTH))}${row[1]}\n`]))
    .join('');
}

function amount({ entries, bytes }: CacheTotals['ranks']['kept']): string {
  return `${plural(entries, 'blob')}, ${formatSize(bytes)}`;
}

function rateText(hits: number, misses: number): string {
  return hits + misses === 0 ? '' : ` (${((hits / (hits + misses)) * 100).toFixed(1)} % hits)`;
}
