import { FOREVER, FUSE_ROOT_ID } from '../../wire/index.ts';
import type { Moment } from '../messages.ts';
import type { OwnDirectory } from './node.ts';
import { aboveTreesId, treeNumberOf, treeOffset, treeRootId } from './node-ranges.ts';
import { Placement } from './placement.ts';

/** Cookies below 16 are reserved for "." and "..". */
const FIRST_COOKIE = 16;
/**
 * How many seconds the kernel may cache the attributes of the mount's own directories. After that it asks for
 * them again, and it reads the listing again if the mtime has changed.
 */
export const OWN_TTL_SECONDS = 1;

/** A name in a directory above the trees. */
export interface NameAboveTrees {
  readonly name: Uint8Array;
  readonly cookie: number;
  /** Seconds. */
  readonly ttlSeconds: number;
  readonly leadsTo: { readonly tree: number } | { readonly directory: OwnDirectory };
}

interface Directory {
  readonly nodeId: number;
  readonly parentId: number;
  readonly path: string;
  readonly names: Name[];
  /** When the newest of the trees below the directory was shown first; undefined if none is shown yet. */
  changedAt: Moment | undefined;
}

interface Name {
  readonly name: Buffer;
  readonly cookie: number;
  readonly leadsTo: { readonly tree: number } | { readonly directory: Directory };
}

/**
 * The directories above the trees of a mount with several trees. Their node ids depend only on the paths of
 * the trees, so that a successor has the same node ids. The directories do not contain the name of a tree
 * that is not shown yet, or of a directory without shown trees. Names are added, but never removed. The
 * kernel notices a new name without a notification: it may cache a missing name for 0 seconds, and a new tree
 * raises the mtime of the directories above it, which makes the kernel drop their listings.
 */
export class TreeDirectories {
  readonly #placements: readonly Placement[];
  readonly #directories = new Map<number, Directory>();
  readonly #byPath = new Map<string, Directory>();
  readonly #above: readonly (readonly Directory[])[];
  readonly #shown = new Set<number>();
  readonly #paths: readonly string[];

  /** `paths`: the paths of the trees, by tree number. No path is empty, and no path is below another. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#add('', FUSE_ROOT_ID, FUSE_ROOT_ID);
    const above: Directory[][] = [];
    const placements: Placement[] = [];
    let cookie = FIRST_COOKIE;
    for (const [tree, path] of paths.entries()) {
      const names = path.split('/');
      const chain = [this.#at('')];
      for (const [depth, text] of names.entries()) {
        const parent = chain.at(-1)!;
        const name = Buffer.from(text);
        if (depth === names.length - 1) {
          parent.names.push({ name, cookie: cookie++, leadsTo: { tree } });
          placements.push(
            new Placement({ rootId: treeRootId(tree), parentId: parent.nodeId, offset: treeOffset(tree) }),
          );
          continue;
        }
        const here = names.slice(0, depth + 1).join('/');
        let directory = this.#byPath.get(here);
        if (directory === undefined) {
          directory = this.#add(here, aboveTreesId(this.#directories.size), parent.nodeId);
          parent.names.push({ name, cookie: cookie++, leadsTo: { directory } });
        }
        chain.push(directory);
      }
      above.push(chain);
    }
    this.#above = above;
    this.#placements = placements;
  }

  placement(tree: number): Placement {
    return this.#placements[tree]!;
  }

  /** Returns the number of the tree to which a root or an entry belongs; undefined for other node ids. */
  treeOf(nodeId: number): number | undefined {
    const tree = treeNumberOf(nodeId);
    return tree === undefined || tree >= this.#placements.length ? undefined : tree;
  }

  /** The path of a tree's root. */
  treePath(tree: number): string | undefined {
    return this.#paths[tree];
  }

  /** Adds the name of a tree, which is shown from now on. */
  show(tree: number, since: Moment): void {
    this.#shown.add(tree);
    for (const directory of this.#above[tree] ?? []) {
      if (directory.changedAt === undefined || isLater(since, directory.changedAt))
        directory.changedAt = since;
    }
  }

  directory(nodeId: number): OwnDirectory | undefined {
    const directory = this.#directories.get(nodeId);
    return directory && this.#own(directory);
  }

  path(nodeId: number): string | undefined {
    return this.#directories.get(nodeId)?.path;
  }

  /** Lists the names in a directory whose cookie is above `after`, in the order of cookies. */
  *names(nodeId: number, after = 0): Generator<NameAboveTrees> {
    for (const { name, cookie, leadsTo } of this.#directories.get(nodeId)?.names ?? []) {
      if (cookie <= after || !this.#isShown(leadsTo)) continue;
      if ('tree' in leadsTo) {
        yield { name, cookie, ttlSeconds: FOREVER, leadsTo };
        continue;
      }
      const directory = this.#own(leadsTo.directory);
      const ttlSeconds = directory.isFixed ? FOREVER : OWN_TTL_SECONDS;
      yield { name, cookie, ttlSeconds, leadsTo: { directory } };
    }
  }

  /**
   * Whether every tree below this name is shown. Names are never removed, so such a directory cannot change
   * any more: the kernel may cache it for ever.
   */
  #isComplete(leadsTo: Name['leadsTo']): boolean {
    return 'tree' in leadsTo
      ? this.#shown.has(leadsTo.tree)
      : leadsTo.directory.names.every((name) => this.#isComplete(name.leadsTo));
  }

  #isShown(leadsTo: Name['leadsTo']): boolean {
    return 'tree' in leadsTo ? this.#shown.has(leadsTo.tree) : leadsTo.directory.changedAt !== undefined;
  }

  #own({ nodeId, parentId, names, changedAt }: Directory): OwnDirectory {
    return {
      nodeId,
      parentId,
      mtimeSeconds: changedAt?.seconds ?? 0,
      mtimeNanoseconds: changedAt?.nanoseconds ?? 0,
      subdirectories: names.filter(({ leadsTo }) => this.#isShown(leadsTo)).length,
      isFixed: names.every(({ leadsTo }) => this.#isComplete(leadsTo)),
    };
  }

  #at(path: string): Directory {
    return this.#byPath.get(path)!;
  }

  #add(path: string, nodeId: number, parentId: number): Directory {
    const directory: Directory = { nodeId, parentId, path, names: [], changedAt: undefined };
    this.#directories.set(nodeId, directory);
    this.#byPath.set(path, directory);
    return directory;
  }
}

function isLater(one: Moment, other: Moment): boolean {
  return (
    one.seconds > other.seconds || (one.seconds === other.seconds && one.nanoseconds > other.nanoseconds)
  );
}
