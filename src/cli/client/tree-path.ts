import { printableName } from '../../base/printable.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Status, TreeStatus } from '../../control/shapes/status.ts';
import { CommandError } from '../command-error.ts';

/** A path in the current tree, or in the tree of a version. */
export interface TreePath {
  /** The path below the prefix of the source, without it. */
  readonly path: string;
  readonly version?: string;
}

/** A path that an operator gave, resolved to a tree of a daemon and a path in that tree. */
export interface Located extends TreePath {
  /** The client whose requests are about that tree. */
  readonly client: ControlClient;
  /** The tree's directory below the mount point; '' if it is the whole mount. */
  readonly tree: string;
}

const OF_VERSION = /^versions\/(sha256-[0-9a-f]{64})(?:\/|$)/;

/**
 * Finds out which places an operator's path means. The path may be a path in the tree, an absolute path below
 * the mount point, or the address of the object; if the mount shows versions, it may also be
 * `versions/ID/PATH`. If the mount shows several trees, the path begins with a tree's directory. The path of
 * a directory above trees means all of these trees.
 */
export async function locate(client: ControlClient, given: string): Promise<readonly Located[]> {
  return placesOf(client, await client.ask<Places>('/v1/status'), given);
}

type Places = Pick<Status, 'mount' | 'trees'>;

function placesOf(client: ControlClient, { mount, trees }: Places, given: string): readonly Located[] {
  if (client.tree !== undefined || trees === undefined)
    return [{ client, ...treePathIn(mount, given), tree: client.tree ?? '' }];
  const beside = trimmed(below(mount.target, given) ?? given);
  return trees.flatMap(({ path: tree, address }): readonly Located[] => {
    const inTree = client.inTree(tree);
    const path = below(address, given) ?? below(tree, beside);
    if (path !== undefined) return [{ client: inTree, path, tree }];
    const isAbove = beside === '' || `${tree}/`.startsWith(`${beside}/`);
    return isAbove ? [{ client: inTree, path: '', tree }] : [];
  });
}

/**
 * Returns for each path the tree that contains the path, or all trees below the path. Throws CommandError for
 * a path in no tree.
 */
export async function locateEach(
  client: ControlClient,
  given: readonly string[],
): Promise<readonly Located[]> {
  const places = await client.ask<Places>('/v1/status');
  return given.flatMap((each) => {
    const found = placesOf(client, places, each);
    if (found.length === 0) throw inNoTree(each);
    return found;
  });
}

export async function locateOne(client: ControlClient, given: string): Promise<Located> {
  return onlyOf(await locate(client, given), given);
}

function onlyOf(found: readonly Located[], given: string): Located {
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined) throw inNoTree(given);
  throw severalTrees(found.map(({ tree }) => tree));
}

function inNoTree(given: string): CommandError {
  return new CommandError(
    'no-entry',
    `No tree of the mount holds ${printableName(given)}.`,
    'A path begins with the directory of a tree; dagmount status lists them.',
  );
}

/**
 * Returns the trees of the mount, if a request failed because the mount shows several trees and the request
 * named none of them; otherwise undefined.
 */
export async function unnamedTrees(
  client: ControlClient,
  error: unknown,
): Promise<readonly TreeStatus[] | undefined> {
  if (client.tree !== undefined || !isUnanswered(error)) return undefined;
  return (await client.ask<Pick<Status, 'trees'>>('/v1/status')).trees;
}

function isUnanswered(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'not-found';
}

/**
 * Returns the error to report instead of `not-found`, in two cases: the mount shows several trees and the
 * command line has no --tree, or it has --tree and the mount shows a single tree. Otherwise returns
 * undefined.
 */
export async function whichTreeError(
  client: ControlClient,
  error: unknown,
): Promise<CommandError | ConfigError | undefined> {
  if (client.tree === undefined) {
    const unnamed = await unnamedTrees(client, error);
    return unnamed && severalTrees(unnamed.map(({ path }) => path));
  }
  if (!isUnanswered(error)) return undefined;
  const { trees } = await client.whole.ask<Pick<Status, 'trees'>>('/v1/status');
  if (trees !== undefined) return undefined;
  return new ConfigError(
    'usage',
    `--tree names ${printableName(client.tree)}, and the mount shows a single tree.`,
    'Leave --tree out.',
  );
}

export function severalTrees(trees: readonly string[]): CommandError {
  return new CommandError(
    'several-trees',
    `The mount shows several trees, and the command does not say which one: ${trees.map((tree) => printableName(tree)).join(', ')}.`,
    'Add --tree DIRECTORY.',
  );
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

/** Returns the part of `given` below `above`, or undefined if `given` is not below `above`. */
function below(above: string, given: string): string | undefined {
  const directory = above.endsWith('/') ? above : `${above}/`;
  if (given === above || given === directory) return '';
  return given.startsWith(directory) ? trimmed(given.slice(directory.length)) : undefined;
}

/**
 * Returns the part of a key below the prefix of the mount, or undefined if the key does not begin with that
 * prefix.
 */
export function belowPrefix({ source }: Pick<Status['mount'], 'source'>, key: string): string | undefined {
  const prefix = /^s3:\/\/[^/]+\/(.*)$/s.exec(source)?.[1] ?? '';
  return prefix !== '' && key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Removes a trailing slash, which only says that the path is a directory, and a leading `./`. */
function trimmed(path: string): string {
  const bare = path === '.' ? '' : path.replace(/^(?:\.\/)+(?=[^/]|$)/, '');
  return bare.replace(/([^/])\/$/, '$1');
}
