import { resolve } from 'node:path';
import { isPrintable } from '../../base/printable.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Entries } from '../../control/shapes/entries.ts';
import type { Status } from '../../control/shapes/status.ts';
import { cacheActions } from '../client/cache-actions.ts';
import { generationsOf } from '../client/generations.ts';
import { clientsOf, runningStates } from '../client/running-daemons.ts';
import { treePathIn } from '../client/tree-path.ts';
import type { Shell } from '../shell.ts';

/**
 * The kinds of words that completion reads from running daemons or, for environments, from the project file.
 */
export const candidateKinds = [
  'sockets',
  'trees',
  'tree-paths',
  'cache-arguments',
  'generations',
  'environments',
] as const;

export type CandidateKind = (typeof candidateKinds)[number];

/** Time limit of a request. It is short, because a user waits for the completion after each key press. */
const DEADLINE_MS = 2_000;
/** Maximum number of candidates for a path: shells ask the user before they show more. */
const MOST = 500;
/** Maximum number of pages that are searched for candidates. */
const MOST_PAGES = 200;
const PAGE = 100;
const LAST_CHARACTER = '\u{10ffff}';

/**
 * Returns the words that may stand in place of `current`, one per line. Returns an empty text after any
 * failure, because completion must not print errors.
 *
 * @param words the words of the command line, without the name of the program
 */
export async function candidatesText(
  kind: CandidateKind,
  current: string,
  words: readonly string[],
  shell: Shell,
): Promise<string> {
  const found = await candidates(kind, current, words, shell).catch((error: unknown) => {
    if (error instanceof Error) return [];
    throw error;
  });
  // Leaves out words with unprintable characters: a shell takes each line as one word, and writes that word
  // to the terminal unchanged.
  return found
    .filter((each) => each.startsWith(current) && isPrintable(each))
    .map((each) => `${each}\n`)
    .join('');
}

async function candidates(
  kind: CandidateKind,
  current: string,
  words: readonly string[],
  shell: Shell,
): Promise<readonly string[]> {
  switch (kind) {
    case 'sockets':
      return runningStates(silenced(shell)).flatMap(({ socket }) => socket ?? []);
    case 'trees':
      return await treesOf(clientOf(words, shell).whole);
    case 'cache-arguments': {
      const action = words.find((word) => cacheActions.some((each) => each === word));
      if (action === undefined) return cacheActions;
      return ['stats', 'ls', 'verify'].includes(action)
        ? []
        : await treePaths(clientOf(words, shell), current);
    }
    case 'tree-paths':
      return await treePaths(clientOf(words, shell), current);
    case 'generations': {
      const kept = await generationsOf(clientOf(words, shell));
      return kept.flatMap(({ number, id }) => [String(number), id]);
    }
    case 'environments':
      return await environmentsOf(words, shell);
    default:
      throw new Error(`unknown candidates: ${String(kind satisfies never)}`);
  }
}

/** Returns the environments in the project file of the file to deploy, or of the working directory. */
async function environmentsOf(words: readonly string[], shell: Shell): Promise<readonly string[]> {
  const { findProject } = await import('../releases/project-file.ts');
  const [command, source] = words.filter((word) => !word.startsWith('-'));
  const named = command === 'deploy' && source !== undefined ? source : '.';
  const project = findProject(resolve(shell.environment.workingDirectory, named));
  return [...(project?.environments?.keys() ?? [])];
}

/**
 * Creates a client for the daemon that the command line selects. Throws CommandError if no daemon matches, or
 * if several run and the command line selects none of them.
 */
function clientOf(words: readonly string[], shell: Shell): ControlClient {
  const wanted = { sockets: valuesIn(words, '--socket').slice(-1), mount: valuesIn(words, '--mount').at(-1) };
  const [client] = clientsOf(wanted, silenced(shell));
  const tree = valuesIn(words, '--tree').at(-1);
  return tree === undefined ? (client as ControlClient) : (client as ControlClient).inTree(tree);
}

function silenced(shell: Shell): Shell {
  return { ...shell, err: { ...shell.err, write: () => undefined } };
}

function valuesIn(words: readonly string[], flag: string): readonly string[] {
  return words.flatMap((word, at) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    // Bash splits `--socket=PATH` into three words.
    const value = words[at + 1] === '=' ? words[at + 2] : words[at + 1];
    return word === flag && value !== undefined ? [value] : [];
  });
}

/** Returns the directories of the trees; empty if the mount shows a single tree. */
async function treesOf(client: ControlClient): Promise<readonly string[]> {
  const { trees = [] } = await client.ask<Pick<Status, 'trees'>>('/v1/status', { deadlineMs: DEADLINE_MS });
  return trees.map(({ path }) => path);
}

/** Completes `current` up to the next slash. `current` may also be an absolute path below the mount point. */
async function treePaths(client: ControlClient, current: string): Promise<readonly string[]> {
  if (!current.startsWith('/')) return await relativePaths(client, current);
  const { mount } = await client.ask<{
    readonly mount: Pick<Status['mount'], 'source' | 'target' | 'layout'>;
  }>('/v1/status', { deadlineMs: DEADLINE_MS });
  const directory = mount.layout === 'versions' ? `${mount.target}/current/` : `${mount.target}/`;
  if (directory.startsWith(current)) return [directory];
  if (!current.startsWith(directory)) return [];
  const below = `${treePathIn(mount, current).path}${current.endsWith('/') && current !== directory ? '/' : ''}`;
  return (await relativePaths(client, below)).map((path) => directory + path);
}

/**
 * Completes a relative path up to the next slash. If the mount shows several trees and the command line has
 * no --tree, the path begins with the directory of a tree.
 */
async function relativePaths(client: ControlClient, current: string): Promise<readonly string[]> {
  try {
    return await nextParts(client, current);
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'not-found' || client.tree !== undefined)
      throw error;
  }
  const directories = (await treesOf(client)).map((tree) => `${tree}/`);
  const inside = directories.find((directory) => current.startsWith(directory));
  if (inside !== undefined) {
    const parts = await nextParts(client.inTree(inside.slice(0, -1)), current.slice(inside.length));
    return parts.map((part) => inside + part);
  }
  const above = directories.filter((directory) => directory.startsWith(current));
  return [...new Set(above.map((each) => each.slice(0, each.indexOf('/', current.length) + 1)))];
}

/**
 * Returns the paths that begin with `prefix`, each up to the next slash. After the first entry of a directory
 * it skips the other entries, which would give the same path.
 */
async function nextParts(client: ControlClient, prefix: string): Promise<readonly string[]> {
  const found = new Set<string>();
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES && found.size < MOST; page += 1) {
    const { items, next } = await client.ask<Entries>('/v1/entries', {
      query: { prefix, after, limit: String(PAGE) },
      deadlineMs: DEADLINE_MS,
    });
    let last = '';
    for (const { path, kind } of items) {
      const slash = path.indexOf('/', prefix.length);
      last = slash >= 0 ? path.slice(0, slash + 1) : '';
      found.add(slash >= 0 ? last : kind === 'directory' ? `${path}/` : path);
    }
    if (next === null) break;
    // The next page begins after this text, which sorts behind every path in that directory.
    after = last === '' ? next : `${last}${LAST_CHARACTER}`;
  }
  return [...found].slice(0, MOST);
}
