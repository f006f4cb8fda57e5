import type { ProblemItem, Problems } from '../../control/shapes/status.ts';
import { formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';

export const run = clientCommand<Problems>({
  name: 'problems',
  isOfTree: true,
  ask: async (client) => {
    const items: ProblemItem[] = [];
    for await (const page of client.pages<Problems>('/v1/problems')) items.push(...page.items);
    return { items, next: null };
  },
  show: ({ items }) =>
    items.length === 0
      ? 'Every key is shown as it is.\n'
      : formatTable(
          ['REASON', 'KEY', 'DETAIL'],
          items.map(({ reason, key, detail }) => [reason, key, detail]),
        ),
});
