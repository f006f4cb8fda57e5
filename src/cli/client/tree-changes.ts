import type { ControlClient } from '../../control/client.ts';
import type { Entries, EntryItem } from '../../control/shapes/entries.ts';
import type { Status } from '../../control/shapes/status.ts';

export interface TreeChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

interface AskedDaemon {
  readonly client: ControlClient;
  readonly status: Status;
}

/**
 * Maximum number of files that are compared, in both trees together: a comparison of so many takes about 200
 * MB.
 */
const MOST_FILES = 500_000;

/**
 * Compares two trees by their listings, and returns the paths that changed from the tree of `from` to that of
 * `to`. A directory is among them only if it is empty, with a slash at its end. Returns null if the trees are
 * too large, or if a daemon does not list its tree.
 */
export async function differingPaths(from: AskedDaemon, to: AskedDaemon): Promise<TreeChanges | null> {
  const files = (from.status.generation?.files ?? 0) + (to.status.generation?.files ?? 0);
  if (files > MOST_FILES) return null;
  const trees = await Promise.all([treeOf(from.client), treeOf(to.client)]).catch(() => undefined);
  if (trees === undefined) return null;
  const [old, current] = trees;
  const added: string[] = [];
  const changed: string[] = [];
  for (const [path, version] of current) {
    const before = old.get(path);
    if (before === undefined) added.push(path);
    else if (before !== version) changed.push(path);
  }
  const removed = [...old.keys()].filter((path) => !current.has(path));
  return { added, changed, removed };
}

/**
 * Lists a tree. Returns a map with a text for each file that differs if the file does (size and ETag), and an
 * empty text for each empty directory.
 */
async function treeOf(client: ControlClient): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  const directories: string[] = [];
  const filled = new Set<string>();
  for await (const page of client.pages<Entries>('/v1/entries')) {
    for (const { path, kind, etag, size } of page.items) {
      filled.add(parentOf(path));
      if (kind === 'directory') directories.push(path);
      else versions.set(path, `${size} ${etag}`);
    }
  }
  for (const path of directories) if (!filled.has(path)) versions.set(`${path}/`, '');
  return versions;
}

function parentOf(path: EntryItem['path']): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
