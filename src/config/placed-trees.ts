import { createHash } from 'node:crypto';
import { ConfigError } from './config-error.ts';
import type { ResolvedTree } from './resolve.ts';
import { parseS3Address, type S3Address } from './s3-address.ts';

/** Maximum number of trees of a mount: so many can have node ids of their own. */
export const MOST_TREES = 64;
/** Maximum length of a tree's path, because the source of a mount names the paths of several trees. */
const LONGEST_PATH = 128;
const PATH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
/** Maximum length of a source that names the paths of all trees. */
const LONGEST_SOURCE = 512;

/** A tree, and its place below the mount point. */
export interface PlacedTree {
  readonly path: string;
  readonly address: S3Address;
  readonly resolved: ResolvedTree;
}

/**
 * Returns the trees in the order of their paths, which is also the order of their numbers. Throws ConfigError
 * if the file names no tree or too many, or if a path or a source is invalid.
 */
export function placedTrees(named: readonly ResolvedTree[]): readonly PlacedTree[] {
  if (named.length === 0) {
    throw new ConfigError(
      'usage',
      'There is no source: neither an s3:// address, nor trees in the file of --config.',
      'Usage: dagmount mount s3://BUCKET[/PREFIX] MOUNTPOINT [options], or dagmount mount MOUNTPOINT --config FILE with trees; see dagmount help mount.',
    );
  }
  if (named.length > MOST_TREES) {
    throw new ConfigError(
      'bad-value',
      `${named[0]!.given.file} names ${named.length} trees.`,
      `Allowed: up to ${MOST_TREES} below one mount point.`,
    );
  }
  const placed = named.map((resolved) => {
    const { path, source } = resolved.given;
    requirePath(resolved);
    return { path, address: addressOf(resolved, source), resolved };
  });
  placed.sort(({ path: one }, { path: other }) => (one < other ? -1 : one > other ? 1 : 0));
  for (const [index, one] of placed.entries())
    for (const other of placed.slice(index + 1)) requireApart(one, other);
  return placed;
}

/** Returns the source of a mount with several trees, as status shows it. */
export function sourceOf(trees: readonly PlacedTree[]): string {
  const source = `trees:${trees.map(({ path }) => path).join('+')}`;
  if (source.length <= LONGEST_SOURCE) return source;
  return `trees:${trees.length}-${createHash('sha256').update(source).digest('hex').slice(0, 12)}`;
}

/** Throws ConfigError if the file names trees although the command line names a source. */
export function requireNone(named: readonly ResolvedTree[], address: string | undefined): void {
  const [first] = named;
  if (first === undefined) return;
  const { file, line } = first.given;
  throw new ConfigError(
    'usage',
    `Both the command line (${address}) and trees (${file}, line ${line}) name what to mount.`,
    'Leave the address out (dagmount mount MOUNTPOINT --config FILE), or take trees out of the file.',
  );
}

function addressOf({ given: { path, file, line } }: ResolvedTree, source: string): S3Address {
  try {
    return parseS3Address(source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { code, message, hint } = error;
    throw new ConfigError(code, `The tree ${path} (${file}, line ${line}): ${message}`, hint, error);
  }
}

function requirePath({ given: { path, file, line } }: ResolvedTree): void {
  if (PATH.test(path) && path.length <= LONGEST_PATH) return;
  throw new ConfigError(
    'bad-value',
    `The path of a tree cannot be ${JSON.stringify(path)} (${file}, line ${line}).`,
    `Allowed: up to ${LONGEST_PATH} letters, digits, dots, hyphens and underscores, with slashes between directories, none of which begins with a dot or a hyphen.`,
  );
}

/** Refuses two trees with the same path, or of which one would lie in the directory of the other. */
function requireApart(one: PlacedTree, other: PlacedTree): void {
  if (one.path !== other.path && !other.path.startsWith(`${one.path}/`)) return;
  const { file } = one.resolved.given;
  const named = ({ path, resolved: { given } }: PlacedTree): string =>
    `${path} (line ${given.line}: ${given.source})`;
  throw new ConfigError(
    'bad-value',
    `Two trees of ${file} ${one.path === other.path ? 'have one path' : 'lie one in the other'}: ${named(one)} and ${named(other)}.`,
    'Give each tree a directory of its own, beside those of the others.',
  );
}
