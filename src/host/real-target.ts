import { readlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/** As the kernel has it, which answers ELOOP after so many. */
export const MOST_LINKS = 40;

/**
 * The absolute path of a mount point with its symbolic links followed, as /proc/self/mountinfo will show it.
 *
 * realpath(3) would ask a mount on it for its attributes, which a dead one refuses and one that hangs never answers;
 * readlink(2) asks the filesystem nothing where there is no link. What is missing is left as it is.
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
    // EINVAL: no link. Whatever else it is, whoever uses the path will meet it and can say more about it.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
