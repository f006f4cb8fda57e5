import { createHash } from 'node:crypto';
import { rmdirSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { systemClock } from '../sync/system-clock.ts';
import { TreeMark, WHOLE_MOUNT_MARK } from './tree-mark.ts';

export interface TreePlaces {
  readonly runtimeDirectory: string;
  readonly cacheDirectory: string;
}

/** A tree of a mount: what it shows, and where its files are. */
export interface MountTree {
  readonly number: number;
  /** The tree's directory below the mount point; '' if the tree is the whole mount. */
  readonly path: string;
  readonly config: MountConfig;
  /** Identifies the tree in the files of its state. */
  readonly id: string;
  /** The directories of this tree alone. */
  readonly places: TreePlaces;
  readonly mark: Pick<TreeMark, 'since' | 'set' | 'clear'>;
}

/** The subdirectory of a mount's runtime and cache directories that contains the directories of its trees. */
export const TREES_DIRECTORY = 'trees';

/** The trees of a mount, in the order of their numbers. `id` and `places` are the mount's. */
export function mountTrees(config: MountConfig, id: string, places: TreePlaces): readonly MountTree[] {
  if (config.trees.length === 0) return [{ number: 0, path: '', config, id, places, mark: WHOLE_MOUNT_MARK }];
  return config.trees.map((tree, number) => {
    const name = encodeURIComponent(tree.path);
    const own = {
      runtimeDirectory: `${places.runtimeDirectory}/${TREES_DIRECTORY}/${name}`,
      cacheDirectory: `${places.cacheDirectory}/${TREES_DIRECTORY}/${name}`,
    };
    return {
      number,
      path: tree.path,
      config: tree.config,
      id: createHash('sha256').update(`${id}\0${tree.path}`).digest('hex').slice(0, 12),
      places: own,
      mark: new TreeMark(own.runtimeDirectory, () => systemClock.now()),
    };
  });
}

/** Removes the runtime directory of a mount, and that of its trees, as far as they are empty. */
export function removeEmpty(runtimeDirectory: string): void {
  for (const directory of [`${runtimeDirectory}/${TREES_DIRECTORY}`, runtimeDirectory]) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
}
