import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { isOwn } from '../../host/own-file.ts';

/**
 * Says that a mount is there which nobody of ours has taken away: a file in the cache directory, which outlives server and
 * process. The mount itself says nothing any more once it is gone, and who comes next is to know whether that was meant.
 */
export class MountMark {
  readonly #path: string;

  /** `cacheDirectory`: of the mount. */
  constructor(cacheDirectory: string) {
    this.#path = `${cacheDirectory}/mounted`;
  }

  get isSet(): boolean {
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true && isOwn(stats);
  }

  /** Without it, because the disk does not take it, the next server mounts again. */
  set(): void {
    attempt(() => writeFileSync(this.#path, '', { mode: 0o600 }));
  }

  clear(): void {
    attempt(() => rmSync(this.#path, { force: true }));
  }
}

function attempt(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
