import { rmSync } from 'node:fs';
import { keptFiles } from '../base/kept-files.ts';
import { replaceFile } from '../base/replace-file.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { Moment } from '../session/messages.ts';
import { instantOf } from '../sync/instant.ts';

/** In the runtime directory of a tree. */
export const TREE_MARK_FILE = keptFiles.treeMark.name;
const MOST_BYTES = 64;

/**
 * When a tree was shown first on the mount that is there: a file in the tree's runtime directory. It is written before the
 * kernel may learn of the tree. A successor that finds it goes on with the connection only if it has the state of the tree,
 * too: a tree that begins anew would give the kernel node ids that it knows otherwise.
 */
export class TreeMark {
  readonly #path: string;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch. */
  constructor(runtimeDirectory: string, now: () => number) {
    this.#path = `${runtimeDirectory}/${TREE_MARK_FILE}`;
    this.#now = now;
  }

  /** Undefined if the tree was not shown. */
  get since(): Moment | undefined {
    try {
      const since = Number(readOwnFile(this.#path, MOST_BYTES).toString('latin1'));
      return instantOf(Number.isFinite(since) ? since : this.#now());
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      // What cannot be read was there all the same.
      return error.code === 'missing' ? undefined : instantOf(this.#now());
    }
  }

  /** Throws what the disk says: without the mark the tree may not be shown. */
  set(): Moment {
    const now = this.#now();
    replaceFile(this.#path, String(now));
    return instantOf(now);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}

/** Of a tree that is the whole mount: the kernel knows it as soon as there is a mount. */
export const WHOLE_MOUNT_MARK: Pick<TreeMark, 'since' | 'set' | 'clear'> = {
  since: { seconds: 0, nanoseconds: 0 },
  set: () => ({ seconds: 0, nanoseconds: 0 }),
  clear: () => undefined,
};
