import { AttributeSource } from './attributes.ts';
import { BlobReader } from './blob-reader.ts';
import { ContentReader } from './content-reader.ts';
import { ExtendedAttributes } from './extended-attributes.ts';
import type { SessionOptions } from './session-options.ts';
import { MountedTrees } from './trees/mounted-trees.ts';
import { VersionLookups, type WaitingBounds } from './trees/version-lookups.ts';
import { VersionTable } from './trees/version-table.ts';

/**
 * The objects with which a session answers requests. The sessions of both drivers (kernel and fuse-native)
 * use them.
 */
export interface AnswerSources {
  readonly trees: MountedTrees;
  /** Undefined if the mount does not show versions. */
  readonly lookups: VersionLookups | undefined;
  readonly attributes: AttributeSource;
  readonly extended: ExtendedAttributes;
  /** Indexed by tree number. */
  readonly contents: readonly ContentReader[];
}

export function answerSources(options: SessionOptions, waits: WaitingBounds): AnswerSources {
  const { versions, presentation, fetchOf, findVersion, onVersionUsed } = options;
  const trees = new MountedTrees(
    options.trees,
    versions && ((first) => new VersionTable(versions, first.generation.salt, onVersionUsed)),
  );
  return {
    trees,
    lookups: trees.versions && new VersionLookups(trees.versions, findVersion, waits),
    attributes: new AttributeSource(presentation),
    extended: new ExtendedAttributes(options.trees.map(({ naming }) => naming)),
    contents: options.trees.map(
      ({ cacheDirectory }, tree) => new ContentReader(new BlobReader(cacheDirectory), trees, fetchOf(tree)),
    ),
  };
}
