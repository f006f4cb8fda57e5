import type { ControlClient } from '../../control/client.ts';
import type { Status } from '../../control/shapes/status.ts';

/** A path in the current tree, or in the tree of a version. */
export interface TreePath {
  readonly path: string;
  readonly version?: string;
}

const OF_VERSION = /^versions\/(sha256-[0-9a-f]{64})(?:\/|$)/;

/**
 * A path below the prefix, from an operator's input: that path, an absolute one below the mount point, or the
 * object's address; and `versions/ID/PATH` if the mount shows versions. Asks the daemon for its mount point only if that
 * matters.
 */
export async function treePath(client: ControlClient, given: string): Promise<TreePath> {
  const isRelative = !given.startsWith('/') && !given.startsWith('s3://');
  if (isRelative && !OF_VERSION.test(trimmed(given))) return { path: trimmed(given) };
  const { mount } = await client.ask<Status>('/v1/status');
  return treePathIn(mount, given);
}

export function treePathIn(
  { source, target, layout }: Pick<Status['mount'], 'source' | 'target' | 'layout'>,
  given: string,
): TreePath {
  const inVersion = layout === 'versions' ? versionPath(below(target, given) ?? trimmed(given)) : undefined;
  if (inVersion !== undefined) return inVersion;
  const shown = layout === 'versions' ? [`${target}/current`, target] : [target];
  for (const above of [...shown, source]) {
    const path = below(above, given);
    if (path !== undefined) return { path };
  }
  return { path: trimmed(given) };
}

function versionPath(path: string): TreePath | undefined {
  const [, version] = OF_VERSION.exec(path) ?? [];
  return version === undefined
    ? undefined
    : { version, path: trimmed(path.slice(`versions/${version}/`.length)) };
}

/** Undefined if it does not lie there. */
function below(above: string, given: string): string | undefined {
  const directory = above.endsWith('/') ? above : `${above}/`;
  if (given === above || given === directory) return '';
  return given.startsWith(directory) ? trimmed(given.slice(directory.length)) : undefined;
}

/** If the path is a complete key of this mount, returns the part below the prefix. */
export function belowPrefix({ source }: Pick<Status['mount'], 'source'>, key: string): string | undefined {
  const prefix = /^s3:\/\/[^/]+\/(.*)$/s.exec(source)?.[1] ?? '';
  return prefix !== '' && key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Removes a trailing slash, which only says that the path is a directory, and a leading `./`. */
function trimmed(path: string): string {
  const bare = path === '.' ? '' : path.replace(/^(?:\.\/)+(?=[^/]|$)/, '');
  return bare.replace(/([^/])\/$/, '$1');
}
