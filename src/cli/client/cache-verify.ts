import type { Verified } from '../../control/shapes/cache.ts';
import { formatSize, plural } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { askEachTree, type OfTree } from './each-tree.ts';

/**
 * Time limit of the request: the daemon may need an hour to read a cache of a hundred GiB from a slow disk.
 */
const DEADLINE_MS = 3_600_000;

export const runCacheVerify = clientCommand<Verified>({
  name: 'cache',
  isOfTree: true,
  ask: async (client) => {
    const verified = await askEachTree(client, (asked) =>
      asked.ask<Verified>('/v1/cache/verify', { method: 'POST', body: {}, deadlineMs: DEADLINE_MS }),
    );
    return {
      blobs: sum(verified, ({ blobs }) => blobs),
      bytes: sum(verified, ({ bytes }) => bytes),
      corrupt: sum(verified, ({ corrupt }) => corrupt),
      removed: verified.flatMap(({ tree, answer: { removed } }) =>
        tree === undefined ? removed : removed.map((blob) => inTree(tree, blob)),
      ),
    };
  },
  show: ({ blobs, bytes, corrupt, removed }, { paints }) => {
    const read = `${plural(blobs, 'blob')} (${formatSize(bytes)}) read`;
    if (corrupt === 0) return `${read}, all of them ${paints.green('as they were stored')}.\n`;
    const lines = removed.map(({ key, path }) => `  ${path === null ? key : path}\n`);
    const more = corrupt > removed.length ? `  and ${plural(corrupt - removed.length, 'blob')} more\n` : '';
    return `${read}, ${paints.red(`${plural(corrupt, 'blob')} not as stored`)}, and removed; content is fetched again when it is read:\n${lines.join('')}${more}`;
  },
});

function sum(verified: readonly OfTree<Verified>[], count: (one: Verified) => number): number {
  return verified.reduce((total, { answer }) => total + count(answer), 0);
}

/** Returns the blob with its path below the mount point, instead of its path in the tree. */
function inTree(tree: string, blob: Verified['removed'][number]): Verified['removed'][number] {
  return { ...blob, path: blob.path === null ? null : `${tree}/${blob.path}` };
}
