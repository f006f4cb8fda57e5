import { rmSync } from 'node:fs';
import { persistedFiles } from '../base/persisted-files.ts';
import { replaceFile } from '../base/replace-file.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { Moment } from '../session/messages.ts';
import { instantOf } from '../sync/instant.ts';

/** The name of the mark's file in the tree's runtime directory. */
export const TREE_MARK_FILE = persistedFiles.treeMark.name;
const MOST_BYTES = 64;

/**
 * When a tree was first shown on the existing mount: a file in the tree's runtime directory. It is written
 * before the kernel may learn of the tree. A successor that finds this file resumes the connection only if it
 * also has the state of the tree, because a tree that starts anew would assign node ids that the kernel uses
 * for other nodes.
 */
export class TreeMark {
  readonly #path: string;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch. */
  constructor(runtimeDirectory: string, now: () => number) {
    this.#path = `${runtimeDirectory}/${TREE_MARK_FILE}`;
    this.#now = now;
  }

  /** When the tree was first shown; undefined without a mark. The current time if the mark cannot be read. */
  get since(): Moment | undefined {
    try {
      const since = Number(readOwnFile(this.#path, MOST_BYTES).toString('latin1'));
      return instantOf(Number.isFinite(since) ? since : this.#now());
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      // A mark that cannot be read exists all the same.
      return error.code === 'missing' ? undefined : instantOf(this.#now());
    }
  }

  /**
   * Writes the mark. Throws the system's error if that fails: without the mark the tree must not be shown.
   */
  set(): Moment {
    const now = this.#now();
    replaceFile(this.#path, String(now));
    return instantOf(now);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}

/**
 * The mark of a tree that is the whole mount. It needs no file, because the kernel knows the tree as soon as
 * there is a mount.
 */
export const WHOLE_MOUNT_MARK: Pick<TreeMark, 'since' | 'set' | 'clear'> = {
  since: { seconds: 0, nanoseconds: 0 },
  set: () => ({ seconds: 0, nanoseconds: 0 }),
  clear: () => undefined,
};
