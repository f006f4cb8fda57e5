import { isGiven } from '../../config/command-line.ts';
import type { ControlClient } from '../../control/client.ts';
import type { Changes, HistoryItem, PastReleaseView } from '../../control/shapes/status.ts';
import { CommandError } from '../command-error.ts';
import type { Paints } from '../paint.ts';
import { clientCommand } from './client-command.ts';
import { generationsOf } from './generations.ts';
import { releaseLine } from './release-text.ts';
import type { TreeChanges } from './tree-changes.ts';

const DIFFERENT = 1;

/**
 * The paths that changed. `releases` are the releases that the two generations showed, if the source is a
 * release.
 */
type NamedChanges = Changes & {
  readonly releases?: { readonly from: PastReleaseView | null; readonly to: PastReleaseView | null };
};

export const run = clientCommand<NamedChanges>({
  name: 'diff',
  isOfTree: true,
  flags: [{ name: 'exit-code', takesValue: false }],
  arguments: 2,
  ask: async (client, { positionals }) => {
    const kept = await generationsOf(client);
    const [from, to] = chosen(kept, positionals);
    const releases = { from: releaseOf(kept, from), to: releaseOf(kept, to) };
    const changes = await changesBetween(client, from, to);
    return releases.from === null && releases.to === null ? changes : { ...changes, releases };
  },
  show: (changes, { paints }) => changesText(changes, paints),
  exitCode: ({ added, changed, removed }, given) =>
    isGiven(given.flags, 'exit-code') && added.length + changed.length + removed.length > 0 ? DIFFERENT : 0,
});

/**
 * Returns the ids of the two generations to compare. Without an argument, these are the last two; with one
 * argument, that generation and the last; with two arguments, those two. Throws CommandError if there is no
 * such generation.
 */
function chosen(kept: readonly HistoryItem[], [one, other]: readonly string[]): readonly [string, string] {
  const [last, before] = kept;
  if (last === undefined) {
    throw new CommandError('no-generation', 'No generation was published yet.', 'See dagmount status.');
  }
  if (one === undefined) {
    if (before !== undefined) return [before.id, last.id];
    throw new CommandError(
      'no-generation',
      `Generation ${last.number} is the only one that is kept: there is nothing to compare it with.`,
      'See dagmount generations.',
    );
  }
  return [named(kept, one), other === undefined ? last.id : named(kept, other)];
}

/** Finds a generation by its number, its id, or the beginning of its id. */
function named(kept: readonly HistoryItem[], name: string): string {
  const numbered = kept.find(({ number }) => String(number) === name);
  if (numbered !== undefined) return numbered.id;
  const ids = new Set(kept.flatMap(({ id }) => (name.length >= 4 && id.startsWith(name) ? [id] : [])));
  const [id, ...more] = ids;
  if (id !== undefined && more.length === 0) return id;
  throw new CommandError(
    'no-generation',
    id === undefined ? `No generation ${name} is kept.` : `Several generations begin with ${name}.`,
    'dagmount generations shows what is kept; give a number, an id, or at least 4 digits of one.',
  );
}

/** Requests the changes between two generations from a daemon, all pages of them. */
export async function changesBetween(client: ControlClient, since: string, to: string): Promise<Changes> {
  const joined: Changes = { from: since, to, added: [], changed: [], removed: [], next: null };
  for await (const page of client.pages<Changes>(`/v1/generations/${to}/changes`, { since })) {
    joined.added.push(...page.added);
    joined.changed.push(...page.changed);
    joined.removed.push(...page.removed);
  }
  return joined;
}

function changesText(changes: NamedChanges, paints: Paints): string {
  const { from, to } = changes.releases ?? { from: null, to: null };
  const named = [
    ...(from === null ? [] : [`--- ${releaseLine(from)}`]),
    ...(to === null ? [] : [`+++ ${releaseLine(to)}`]),
  ].map((line) => paints.bold(line));
  return [...named, ...changeLines(changes, paints)].map((line) => `${line}\n`).join('');
}

/**
 * Returns the release of a generation, or null if the history has none. If the tree was shown more than once,
 * returns the release of its newest entry.
 */
function releaseOf(kept: readonly HistoryItem[], id: string): PastReleaseView | null {
  return kept.find((item) => item.id === id)?.release ?? null;
}

/** Formats a line for each path, sorted by path. */
export function changeLines({ added, changed, removed }: TreeChanges, paints: Paints): readonly string[] {
  const lines = [
    ...added.map((path) => [path, paints.green(`+ ${path}`)] as const),
    ...changed.map((path) => [path, paints.yellow(`~ ${path}`)] as const),
    ...removed.map((path) => [path, paints.red(`- ${path}`)] as const),
  ];
  lines.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return lines.map(([, line]) => line);
}
