import type { Verified } from '../../control/shapes/cache.ts';
import { formatSize, plural } from '../format.ts';
import { clientCommand } from './client-command.ts';

/** Reading a cache of a hundred GiB from a slow disk takes that long. */
const DEADLINE_MS = 3_600_000;

export const runCacheVerify = clientCommand<Verified>({
  name: 'cache',
  isOfTree: true,
  ask: (client) => client.ask('/v1/cache/verify', { method: 'POST', body: {}, deadlineMs: DEADLINE_MS }),
  show: ({ blobs, bytes, corrupt, removed }, { paints }) => {
    const read = `${plural(blobs, 'blob')} (${formatSize(bytes)}) read`;
    if (corrupt === 0) return `${read}, all of them ${paints.green('as they were stored')}.\n`;
    const lines = removed.map(({ key, path }) => `  ${path === null ? key : path}\n`);
    const more = corrupt > removed.length ? `  and ${plural(corrupt - removed.length, 'blob')} more\n` : '';
    return `${read}, ${paints.red(`${plural(corrupt, 'blob')} not as stored`)}, and removed; content is fetched again when it is read:\n${lines.join('')}${more}`;
  },
});
