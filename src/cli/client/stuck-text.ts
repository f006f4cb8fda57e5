import type { StuckView } from '../../control/shapes/status.ts';
import { plural } from '../format.ts';

/** Maximum number of threads that the text lists. */
const NAMED = 4;

/**
 * Names the directory whose lock a publication waits for, and the processes that hold this lock. The text is
 * not sanitized yet.
 */
export function stuckText({ directory, holders }: StuckView): string {
  const what = directory === null ? 'a directory' : directory === '' ? 'the mount point' : directory;
  if (holders.length === 0) return `${what} is held by a process that the daemon cannot see; root can`;
  const named = holders
    .slice(0, NAMED)
    .map(({ pid, tid, uid, command }) => {
      const thread = tid === pid ? '' : `, thread ${tid}`;
      return `pid ${pid}${thread} (${command}, uid ${uid})`;
    })
    .join(', ');
  const more = holders.length > NAMED ? `, and ${plural(holders.length - NAMED, 'thread')} more` : '';
  return `${what} is held by ${named}${more}; kill -9 frees it`;
}
