import { readlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/** The kernel's limit, after which it returns ELOOP. */
export const MOST_LINKS = 40;

/**
 * Returns the absolute path of a mount point with its symbolic links resolved, as in /proc/self/mountinfo.
 *
 * Does not use realpath(3), which would stat a mount there: that fails on a dead mount and blocks on a hung
 * one. readlink(2) asks the filesystem nothing if there is no link. A missing component is left unchanged.
 */
export function realTarget(path: string, workingDirectory: string): string {
  let links = 0;
  const follow = (absolute: string): string => {
    const parent = dirname(absolute);
    if (parent === absolute) return absolute;
    const here = join(follow(parent), basename(absolute));
    const target = links < MOST_LINKS ? linkAt(here) : undefined;
    if (target === undefined) return here;
    links += 1;
    return follow(isAbsolute(target) ? resolve(target) : resolve(dirname(here), target));
  };
  return follow(resolve(workingDirectory, path));
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    // EINVAL: the path is not a link. Later uses of the path report any other error better.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
