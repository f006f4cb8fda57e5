import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import type { Status } from '../../control/shapes/status.ts';

/**
 * A path below the prefix, from an operator's input: that path, an absolute one below the mount point, or the
 * object's address. Asks the daemon for its mount point only if that matters.
 */
export async function treePath(client: ControlClient, given: string): Promise<string> {
  if (!given.startsWith('/') && !given.startsWith('s3://')) return trimmed(given);
  const { mount } = await client.ask<Status>('/v1/status');
  return treePathIn(mount, given);
}

export function treePathIn(
  { source, target, layout }: Pick<Status['mount'], 'source' | 'target' | 'layout'>,
  given: string,
): string {
  if (layout === 'versions' && `${given}/`.startsWith(`${target}/versions/`)) {
    throw new ConfigError(
      'usage',
      'The path is one of a version, and only of the current tree is more known.',
      `Give a path below ${target}/current; dagmount release show has the files of a version.`,
    );
  }
  const shown = layout === 'versions' ? [`${target}/current`, target] : [target];
  for (const above of [...shown, source]) {
    const directory = above.endsWith('/') ? above : `${above}/`;
    if (given === above || given === directory) return '';
    if (given.startsWith(directory)) return trimmed(given.slice(directory.length));
  }
  return trimmed(given);
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
