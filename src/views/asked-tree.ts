import { RefusedRequest } from '../control/refused-request.ts';
import type { Shown } from '../sync/shown.ts';
import type { VersionTarget } from '../sync/version-content.ts';

/** A version (an earlier release beside the current tree) as the session shows it. */
export interface ShownVersion extends VersionTarget {
  /** The slot determines the node ids of the version's entries. */
  readonly served: { readonly slot: number };
}

export interface ShownVersions {
  /** Returns a version; undefined if it is not shown, whether or not the source has it. */
  version(id: string): ShownVersion | undefined;
}

/** The current tree, or the tree of a version. */
export type AskedTree = Pick<Shown, 'generation' | 'content' | 'release'> & {
  readonly version?: ShownVersion;
};

/**
 * Returns the tree that a client asks for; undefined if that is the current tree, and there is none yet.
 * Throws RefusedRequest `no-version` if the version is not shown: only a look-up in the mount loads a
 * version, a request to the socket does not.
 */
export function askedTree(
  shown: Shown | undefined,
  versions: ShownVersions | undefined,
  version: string | undefined,
): AskedTree | undefined {
  if (version === undefined) return shown;
  const found = versions?.version(version);
  if (found === undefined) {
    throw new RefusedRequest(
      'no-version',
      `The version ${JSON.stringify(version)} is not shown now.`,
      'Look it up in the mount (ls MOUNTPOINT/versions/ID), and ask again.',
      { members: { field: 'version' } },
    );
  }
  const { generation, content } = found;
  return { generation, content, release: undefined, version: found };
}
