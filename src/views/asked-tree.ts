import { RefusedRequest } from '../control/refused-request.ts';
import type { Shown } from '../sync/shown.ts';
import type { VersionTarget } from '../sync/version-content.ts';

/** A version as the session shows it. */
export interface ShownVersion extends VersionTarget {
  /** The slot determines the node ids of its entries. */
  readonly served: { readonly slot: number };
}

export interface ShownVersions {
  /** Undefined if it is not shown, whether or not the source has it. */
  version(id: string): ShownVersion | undefined;
}

/** The current tree, or the one of a version. */
export type AskedTree = Pick<Shown, 'generation' | 'content' | 'release'> & {
  readonly version?: ShownVersion;
};

/**
 * The tree that a client asks for; undefined before there is a current one. Throws RefusedRequest `no-version`: a
 * request to the socket loads no version, only a look-up in the mount does.
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
