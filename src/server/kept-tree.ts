import type { MountConfig } from '../config/mount-config.ts';
import { shownSource } from '../config/shown-source.ts';
import { releaseKeys } from '../release/index.ts';
import type { Naming } from '../session/naming.ts';
import type { ContentState } from '../sync/content-state.ts';
import type { KeptState, LeftState } from '../takeover/kept-state.ts';
import type { MountTree } from '../takeover/mount-trees.ts';
import type { InheritedTree } from '../takeover/resume-connection.ts';

/** A tree, and the state that an earlier process left of it. */
export interface KeptTree<Kept extends LeftState = KeptState> {
  readonly tree: MountTree;
  readonly kept: Kept;
  readonly content: ContentState | undefined;
}

/** The tree as a session gets it that resumes the connection. */
export function inheritedTree({ tree, kept, content }: KeptTree<LeftState>): InheritedTree {
  const { restored, succession } = kept;
  const { mark, number: _, ...rest } = presentedParts(tree);
  const since = mark.since ?? (restored && mark.set());
  return {
    ...rest,
    kept: restored && content && since && { generation: restored.generation, content, since },
    succession,
  };
}

export function presentedParts({ number, path, config, places, mark }: MountTree) {
  return {
    number,
    path,
    naming: namingOf(config),
    cacheDirectory: places.cacheDirectory,
    mark,
  };
}

/** Returns how the store names the files of a tree. A release stores its files in packs. */
function namingOf(config: MountConfig): Naming {
  const { source, prefix: keyPrefix } = config;
  const isRelease = shownSource(config).kind === 'release';
  return { source, keyPrefix, ...(isRelease && { packPrefix: keyPrefix + releaseKeys.pack('') }) };
}
