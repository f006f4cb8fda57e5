import type { ControlClient } from '../../control/client.ts';
import type { Generations, HistoryItem } from '../../control/shapes/status.ts';
import { formatAgo, formatCount, formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { askEachTree, itemsOfTrees } from './each-tree.ts';
import { releaseLine } from './release-text.ts';

/** `tree`: where the mount shows several, and none is named. */
interface GenerationsOfTrees {
  readonly items: readonly (HistoryItem & { readonly tree?: string })[];
  readonly next: null;
}

export const run = clientCommand<GenerationsOfTrees>({
  name: 'generations',
  isOfTree: true,
  ask: async (client) => {
    const lists = await askEachTree(client, generationsOf);
    const items = itemsOfTrees(lists);
    if (lists.length > 1)
      items.sort((one, other) => Date.parse(other.publishedAt) - Date.parse(one.publishedAt));
    return { items, next: null };
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

/** Sorts the newest generation first. */
export async function generationsOf(client: ControlClient): Promise<HistoryItem[]> {
  const items: HistoryItem[] = [];
  for await (const page of client.pages<Generations>('/v1/generations')) items.push(...page.items);
  return items;
}
