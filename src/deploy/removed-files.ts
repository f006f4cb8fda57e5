import { printableName } from '../base/printable.ts';
import { DeployError } from './deploy-error.ts';

/** Returns whether a path of the tree is the path to be removed, or lies below it. */
export function isRemovedBy(removed: string, path: string): boolean {
  return path === removed || path.startsWith(removed.endsWith('/') ? removed : `${removed}/`);
}

/**
 * Returns the paths of a tree that are to be removed.
 *
 * @param removed files, or directories with everything below them
 * @throws {DeployError} `unusable-source` if the tree has no such file or directory
 */
export function removedFiles(removed: readonly string[], paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const one of removed) {
    const below = paths.filter((path) => isRemovedBy(one, path));
    if (below.length === 0) throw notThere(one, paths);
    for (const path of below) found.add(path);
  }
  return found;
}

/**
 * Returns the error for a path that the tree does not have. The user may have typed the path on this host,
 * which has more directories before the path in the tree; then the error suggests the latter.
 */
function notThere(removed: string, paths: readonly string[]): DeployError {
  const names = removed.split('/');
  const meant = names
    .map((_, at) => names.slice(at).join('/'))
    .find((end) => end !== '' && paths.some((path) => isRemovedBy(end, path)));
  return new DeployError(
    'unusable-source',
    `cannot remove ${printableName(removed)}: the tree has no such path`,
    meant === undefined
      ? 'See dagmount release show for the paths in the tree.'
      : `Name the path in the tree: did you mean ${printableName(meant)}?`,
  );
}
