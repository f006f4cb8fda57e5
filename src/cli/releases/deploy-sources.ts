import { realpathSync, type Stats, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { printableName } from '../../base/printable.ts';
import { isSystemError } from '../../base/system-error.ts';
import { type Flag, isGiven, lastValue, valuesOf } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { Deployed } from '../../deploy/deploy.ts';
import type { FileChanges } from '../../deploy/file-changes.ts';
import { collectDirectory, collectFile, unreadableSource } from '../../deploy/source-files.ts';
import type { PlannedFile } from '../../deploy/upload.ts';
import { PathFilter } from '../../tree/index.ts';
import { CommandError } from '../command-error.ts';
import type { Shell } from '../shell.ts';
import type { Project } from './project-file.ts';

/**
 * Returns the absolute paths of the sources to deploy. Throws ConfigError if a source is an empty text,
 * CommandError if a source does not exist, and DeployError if it cannot be read.
 */
export function resolveSources(
  sources: readonly string[],
  { environment }: Pick<Shell, 'environment'>,
): readonly string[] {
  // Refuses an empty text, which would mean the working directory: `deploy "$DAGS" production` passes one if
  // DAGS is not set.
  if (sources.includes(''))
    throw usage('The source of the deploy is an empty text.', 'Name a file or a directory.');
  const paths = sources.map((source) => resolve(environment.workingDirectory, source));
  const missing = paths.findIndex((path) => statusOf(path) === undefined);
  if (missing === -1) return paths;
  throw new CommandError(
    'no-source',
    `There is no ${printableName(sources[missing]!)}.`,
    sources.length === 1 ? 'Check the path.' : 'Check the path: the last argument alone is the environment.',
  );
}

/**
 * Collects the files to deploy. A single directory becomes the whole tree; files are added to the current
 * tree. Throws ConfigError if the sources or flags do not fit together, TreeError if a pattern is invalid,
 * and DeployError if a file cannot be deployed.
 */
export async function collectSources(
  paths: readonly string[],
  flags: readonly Flag[],
  project: Project | undefined,
  signal: AbortSignal,
): Promise<Deployed> {
  const removed = valuesOf(flags, 'remove');
  const [only] = paths;
  if (only !== undefined && paths.length === 1 && isDirectory(only)) {
    if (removed.length > 0 || isGiven(flags, 'as'))
      throw usage('--remove and --as go with files, not with a directory.');
    requireTree(only, project);
    const filter = PathFilter.compile({
      include: [...(project?.include ?? []), ...valuesOf(flags, 'include')],
      exclude: [...(project?.exclude ?? []), ...valuesOf(flags, 'exclude')],
    });
    return {
      kind: 'tree',
      files: await collectDirectory(only, {
        shows: (path) => filter.shows(path),
        excludes: (path) => filter.explain(path).list === 'exclude',
        signal,
      }),
    };
  }
  if (paths.some(isDirectory)) throw usage('A directory is the whole tree: name it alone, or name files.');
  const as = lastValue(flags, 'as');
  if (as !== undefined && paths.length !== 1) throw usage('--as names the path of one file.');
  const files = await Promise.all(paths.map((path) => collectFile(path, as ?? pathInTree(path, project))));
  requireDifferent(files.map(({ path }) => path));
  return { kind: 'files', files, removed };
}

/**
 * Refuses an ambiguous path. If dagmount.yaml does not name the tree's directory, a file is deployed by its
 * path relative to dagmount.yaml. If the tree has files, but none in the first directory of that path, then
 * that directory was probably deployed as the tree itself, and the file would be added beside the file that
 * it should replace. Throws ConfigError.
 */
export function refuseUnclearPath(
  deployed: Deployed,
  files: readonly PlannedFile[],
  { added }: FileChanges,
  project: Project | undefined,
  flags: readonly Flag[],
): void {
  if (deployed.kind !== 'files' || project === undefined || project.namesTree || isGiven(flags, 'as')) return;
  const named = new Set(deployed.files.map(({ path }) => path));
  const others = files.filter(({ path }) => !named.has(path));
  for (const path of added) {
    const slash = path.indexOf('/');
    const folder = path.slice(0, slash + 1);
    if (slash === -1 || others.length === 0 || others.some((other) => other.path.startsWith(folder)))
      continue;
    const below = path.slice(slash + 1);
    throw usage(
      `It is not clear whether ${path} or ${below} is meant: the tree has no directory ${folder} yet.`,
      `If ${folder} is the tree, write "tree: ${folder.slice(0, -1)}" into ${project.file}; else pass --as PATH.`,
    );
  }
}

export function isDirectory(path: string): boolean {
  return statusOf(path)?.isDirectory() === true;
}

/**
 * Returns the status of a path; undefined if nothing has this path. Throws DeployError `unusable-source` if
 * the path cannot be read.
 */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error)) throw unreadableSource(path, error.code);
    throw error;
  }
}

/**
 * Refuses a directory that is not the tree that the project names, because a deployed directory replaces the
 * whole tree.
 */
function requireTree(directory: string, project: Project | undefined): void {
  if (project === undefined || !project.namesTree) return;
  if (realpathSync(directory) === realpathOf(project.tree)) return;
  throw usage(
    `the directory ${directory} is not the tree: ${project.file} says that ${project.tree} is.`,
    `Deploy ${project.tree}, or name files.`,
  );
}

/**
 * Returns the path relative to the project's tree directory. Returns undefined without a project; the path in
 * the tree is then the file's name.
 */
function pathInTree(path: string, project: Project | undefined): string | undefined {
  if (project === undefined) return undefined;
  const below = relative(project.tree, path).split(sep).join('/');
  if (!below.startsWith('../')) return below;
  throw usage(
    `the path ${path} is not below ${project.tree}, which ${project.file} says is the tree.`,
    'Say by --as which path it has in the tree.',
  );
}

function requireDifferent(paths: readonly string[]): void {
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) throw usage(`Two of the files would be ${twice} in the tree.`);
}

function realpathOf(path: string): string {
  return isDirectory(path) ? realpathSync(path) : path;
}

function usage(message: string, hint = 'See dagmount help deploy.'): ConfigError {
  return new ConfigError('usage', message, hint);
}
