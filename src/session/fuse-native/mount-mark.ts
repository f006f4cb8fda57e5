import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { keptFiles } from '../../base/kept-files.ts';
import { isOwn } from '../../host/own-file.ts';

/**
 * Marks that a mount exists which dagmount has not unmounted: a file in the cache directory, which outlives server
 * and process. After an unmount by others no trace of the mount remains, and the next server must know whether that
 * was intended.
 */
export class MountMark {
  readonly #path: string;

  /** `cacheDirectory`: of the mount. */
  constructor(cacheDirectory: string) {
    this.#path = `${cacheDirectory}/${keptFiles.mounted.name}`;
  }

  get isSet(): boolean {
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true && isOwn(stats);
  }

  /** If the disk does not accept it, the next server mounts again. */
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
