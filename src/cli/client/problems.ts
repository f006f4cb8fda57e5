import type { ControlClient } from '../../control/client.ts';
import type { ProblemItem, Problems } from '../../control/shapes/status.ts';
import { formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { askEachTree, itemsOfTrees } from './each-tree.ts';

/** `tree`: where the mount shows several, and none is named. */
interface ProblemsOfTrees {
  readonly items: readonly (ProblemItem & { readonly tree?: string })[];
  readonly next: null;
}

export const run = clientCommand<ProblemsOfTrees>({
  name: 'problems',
  isOfTree: true,
  ask: async (client) => ({ items: itemsOfTrees(await askEachTree(client, problemsOf)), next: null }),
  show: ({ items }) => {
    if (items.length === 0) return 'Every key is shown as it is.\n';
    const isNamed = items.some(({ tree }) => tree !== undefined);
    return formatTable(
      [...(isNamed ? ['TREE'] : []), 'REASON', 'KEY', 'DETAIL'],
      items.map(({ tree = '', reason, key, detail }) => [...(isNamed ? [tree] : []), reason, key, detail]),
    );
  },
});

async function problemsOf(client: ControlClient): Promise<readonly ProblemItem[]> {
  const items: ProblemItem[] = [];
  for await (const page of client.pages<Problems>('/v1/problems')) items.push(...page.items);
  return items;
}
