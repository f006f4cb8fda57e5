import type { ControlClient } from '../../control/client.ts';
import type { Generations, HistoryItem } from '../../control/shapes/status.ts';
import { formatAgo, formatCount, formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { releaseLine } from './release-text.ts';

export const run = clientCommand<Generations>({
  name: 'generations',
  isOfTree: true,
  ask: async (client) => ({ items: await generationsOf(client), next: null }),
  show: ({ items }, { now }) => {
    if (items.length === 0) return 'No generation was published yet.\n';
    const named = items.some(({ release }) => release !== undefined);
    const rows = items.map(({ number, id, publishedAt, files, added, changed, removed, release }) => [
      String(number),
      id,
      publishedAt,
      formatAgo(Date.parse(publishedAt), now),
      formatCount(files),
      `+${formatCount(added)}`,
      `~${formatCount(changed)}`,
      `-${formatCount(removed)}`,
      ...(named ? [release === undefined ? '' : releaseLine(release)] : []),
    ]);
    const header = ['NUMBER', 'ID', 'PUBLISHED', '', 'FILES', 'ADDED', 'CHANGED', 'REMOVED'];
    return formatTable(named ? [...header, 'RELEASE'] : header, rows);
  },
});

/** Sorts the newest generation first. */
export async function generationsOf(client: ControlClient): Promise<HistoryItem[]> {
  const items: HistoryItem[] = [];
  for await (const page of client.pages<Generations>('/v1/generations')) items.push(...page.items);
  return items;
}
