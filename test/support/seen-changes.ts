import { join } from 'node:path';
import type { Mount } from './mount.ts';
import { startPython } from './reader.ts';
import { type Cleanup, defer } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** What a reader sees of one file of a mount, and when. */
export interface SeenChanges {
  /** Waits for this content; returns when the file first had it, in milliseconds since the epoch. */
  of(content: string): Promise<number>;
}

/** Each content must be one line. */
export function seeChanges(t: Cleanup, mount: Mount, path: string): SeenChanges {
  const watcher = startPython('changes.py', [join(mount.target, path)], { deadlineMs: 3_600_000 });
  defer(t, () => watcher.kill());
  const seenAt = (content: string): number | undefined => {
    const line = watcher
      .stdout()
      .split('\n')
      .find((each) => each.startsWith(`${content} `));
    return line === undefined ? undefined : Number(line.slice(content.length + 1));
  };
  return { of: (content) => waitFor(`a reader to see ${content}`, () => seenAt(content)) };
}
