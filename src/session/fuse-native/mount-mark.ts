import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { persistedFiles } from '../../base/persisted-files.ts';
import { isOwn } from '../../host/own-file.ts';

/**
 * A file in the cache directory, which outlives the server and the process of fuse-native. The process
 * creates the file after it mounts, and removes it before it unmounts. If the file exists but the inherited
 * mount does not, another process has unmounted, and the next server ends. Without the file, the next server
 * mounts again.
 */
export class MountMark {
  readonly #path: string;

  /** `cacheDirectory`: the cache directory of the mount. */
  constructor(cacheDirectory: string) {
    this.#path = `${cacheDirectory}/${persistedFiles.mounted.name}`;
  }

  get isSet(): boolean {
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true && isOwn(stats);
  }

  /** Creates the file. If the disk does not accept it, the next server mounts again. */
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
