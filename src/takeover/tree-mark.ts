import { rmSync } from 'node:fs';
import { persistedFiles } from '../base/persisted-files.ts';
import { replaceFile } from '../base/replace-file.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { Moment } from '../session/messages.ts';
import { instantOf } from '../sync/instant.ts';

/** In the runtime directory of the tree. */
export const TREE_MARK_FILE = persistedFiles.treeMark.name;
const MOST_BYTES = 64;

/**
 * When a tree was first shown on the existing mount: a file in the tree's runtime directory. It is written before the
 * kernel may learn of the tree. A successor that finds it resumes the connection only if it also has the state of the
 * tree: a tree that starts anew would assign node ids that the kernel uses for other nodes.
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
      // A file that cannot be read exists all the same.
      return error.code === 'missing' ? undefined : instantOf(this.#now());
    }
  }

  /** Throws the system's error: without the mark the tree may not be shown. */
  set(): Moment {
    const now = this.#now();
    replaceFile(this.#path, String(now));
    return instantOf(now);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}

/** For a tree that is the whole mount: the kernel knows it as soon as there is a mount. */
export const WHOLE_MOUNT_MARK: Pick<TreeMark, 'since' | 'set' | 'clear'> = {
  since: { seconds: 0, nanoseconds: 0 },
  set: () => ({ seconds: 0, nanoseconds: 0 }),
  clear: () => undefined,
};
