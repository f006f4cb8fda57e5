import type { ControlClient } from '../../control/client.ts';
import type { HistoryItem } from '../../control/shapes/status.ts';
import { formatAgo, formatCount, formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { type ListOfTrees, listEachTree } from './each-tree.ts';
import { releaseLine } from './release-text.ts';

const PATH = '/v1/generations';

export const run = clientCommand<ListOfTrees<HistoryItem>>({
  name: 'generations',
  isOfTree: true,
  ask: async (client) => {
    const { items, next } = await listEachTree<HistoryItem>(client, PATH);
    // The daemon sends the generations of one tree in this order already, the newest first.
    if (!items.some(({ tree }) => tree !== undefined)) return { items, next };
    return {
      items: items.toSorted((one, other) => Date.parse(other.publishedAt) - Date.parse(one.publishedAt)),
      next,
    };
  },
  show: ({ items }, { now }) => {
    if (items.length === 0) return 'No generation was published yet.\n';
    const named = items.some(({ release }) => release !== undefined);
    const isOfSeveral = items.some(({ tree }) => tree !== undefined);
    const rows = items.map(
      ({ tree = '', number, id, publishedAt, files, added, changed, removed, release }) => [
        ...(isOfSeveral ? [tree] : []),
        String(number),
        id,
        publishedAt,
        formatAgo(Date.parse(publishedAt), now),
        formatCount(files),
        `+${formatCount(added)}`,
        `~${formatCount(changed)}`,
        `-${formatCount(removed)}`,
        ...(named ? [release === undefined ? '' : releaseLine(release)] : []),
      ],
    );
    const header = [
      ...(isOfSeveral ? ['TREE'] : []),
      'NUMBER',
      'ID',
      'PUBLISHED',
      '',
      'FILES',
      'ADDED',
      'CHANGED',
      'REMOVED',
    ];
    return formatTable(named ? [...header, 'RELEASE'] : header, rows);
  },
});

/** Requests the generations that the daemon remembers, the newest first. */
export async function generationsOf(client: ControlClient): Promise<HistoryItem[]> {
  return await client.items(PATH);
}
