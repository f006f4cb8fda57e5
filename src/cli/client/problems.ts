import type { ProblemItem } from '../../control/shapes/status.ts';
import { formatTable } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { type ListOfTrees, listEachTree } from './each-tree.ts';

export const run = clientCommand<ListOfTrees<ProblemItem>>({
  name: 'problems',
  isOfTree: true,
  ask: (client) => listEachTree(client, '/v1/problems'),
  show: ({ items }) => {
    if (items.length === 0) return 'Every key is shown as it is.\n';
    const isNamed = items.some(({ tree }) => tree !== undefined);
    return formatTable(
      [...(isNamed ? ['TREE'] : []), 'REASON', 'KEY', 'DETAIL'],
      items.map(({ tree = '', reason, key, detail }) => [...(isNamed ? [tree] : []), reason, key, detail]),
    );
  },
});
