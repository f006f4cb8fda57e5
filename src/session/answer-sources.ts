import { AttributeSource } from './attributes.ts';
import { BlobReader } from './blob-reader.ts';
import { ContentReader } from './content-reader.ts';
import { ExtendedAttributes } from './extended-attributes.ts';
import type { SessionOptions } from './session-options.ts';
import type { HeldInode } from './trees/held-inode.ts';
import { MountedTrees } from './trees/mounted-trees.ts';
import { WHOLE_MOUNT } from './trees/placement.ts';
import { ShownTree } from './trees/shown-tree.ts';
import { VersionLookups, type WaitingBounds } from './trees/version-lookups.ts';
import { BESIDE_VERSIONS, VersionTable } from './trees/version-table.ts';

/** The parts from which the sessions of both drivers answer. */
export interface AnswerSources {
  readonly tree: ShownTree;
  readonly trees: MountedTrees;
  /** Undefined if no versions are shown. */
  readonly table: VersionTable | undefined;
  /** Undefined if no versions are shown. */
  readonly lookups: VersionLookups | undefined;
  readonly attributes: AttributeSource;
  readonly extended: ExtendedAttributes;
  readonly content: ContentReader;
}

/** @param replaced inodes of earlier trees that the kernel may hold */
export function answerSources(
  options: SessionOptions,
  waits: WaitingBounds,
  replaced: readonly HeldInode[] = [],
): AnswerSources {
  const { shown, versions, presentation, naming, cacheDirectory, fetch, findVersion, onVersionUsed } =
    options;
  const tree = new ShownTree(shown, replaced, versions === undefined ? WHOLE_MOUNT : BESIDE_VERSIONS);
  const table = versions && new VersionTable(versions, tree.generation.salt, onVersionUsed);
  const trees = new MountedTrees(tree, table);
  return {
    tree,
    trees,
    table,
    lookups: table && new VersionLookups(table, findVersion, waits),
    attributes: new AttributeSource(presentation),
    extended: new ExtendedAttributes(naming),
    content: new ContentReader(new BlobReader(cacheDirectory), trees, fetch),
  };
}
