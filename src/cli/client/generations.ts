import type { ControlClient } from '../../control/client.ts';
import type { Generations, HistoryItem } from '../../control/shapes.ts';
import { formatAgo, formatCount, formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';

export const run = clientCommand<Generations>({
  name: 'generations',
  ask: async (client) => ({ items: await generationsOf(client), next: null }),
  show: ({ items }, { now }) => {
    if (items.length === 0) return 'No generation was published yet.\n';
    const rows = items.map(({ number, id, publishedAt, files, added, changed, removed }) => [
      String(number),
      id,
      publishedAt,
      formatAgo(Date.parse(publishedAt), now),
      formatCount(files),
      `+${formatCount(added)}`,
      `~${formatCount(changed)}`,
      `-${formatCount(removed)}`,
    ]);
    return formatTable(['NUMBER', 'ID', 'PUBLISHED', '', 'FILES', 'ADDED', 'CHANGED', 'REMOVED'], rows);
  },
});

/** The newest first. */
export async function generationsOf(client: ControlClient): Promise<HistoryItem[]> {
  const items: HistoryItem[] = [];
  for await (const page of client.pages<Generations>('/v1/generations')) items.push(...page.items);
  return items;
}
