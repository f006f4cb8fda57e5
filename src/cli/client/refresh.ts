import { isGiven, lastValue } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import { ClientError } from '../../control/client-error.ts';
import type {
  ProblemDetails,
  Refreshed,
  RefreshedTree,
  RefreshedTrees,
} from '../../control/shapes/status.ts';
import { exitCodes } from '../exit-codes.ts';
import { exitCodeOf } from '../failure.ts';
import { formatTable } from '../format.ts';
import { clientCommand, type Given } from './client-command.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const MOST_TIMEOUT_MS = 3_600_000;
/**
 * Time that the command waits beyond the time limit. The daemon enforces the limit itself, so the command
 * gives up on its own only if the daemon hangs.
 */
const GRACE_MS = 15_000;

/**
 * The daemon's answer. If the mount shows several trees and the command line has no --tree, the answer has
 * the outcome of each tree; if a tree failed, the answer is a problem document with these outcomes.
 */
type Answer = Refreshed | RefreshedTrees | (ProblemDetails & RefreshedTrees);

export const run = clientCommand<Answer>({
  name: 'refresh',
  isOfTree: true,
  flags: [
    { name: 'wait', takesValue: false },
    { name: 'timeout', takesValue: true },
  ],
  ask: async (client, given) => {
    const wait = isGiven(given.flags, 'wait');
    const timeoutMs = timeoutOf(given, 'refresh');
    const body = wait ? { wait, timeoutSeconds: Math.max(1, timeoutMs / 1000) } : {};
    try {
      return await client.ask<Refreshed | RefreshedTrees>('/v1/refresh', {
        method: 'POST',
        body,
        deadlineMs: (wait ? timeoutMs : 0) + GRACE_MS,
      });
    } catch (error) {
      if (error instanceof ClientError && error.problem !== undefined && isOfTrees(error.problem)) {
        return error.problem;
      }
      throw error;
    }
  },
  show: (answer) => (isOfTrees(answer) ? treesText(answer) : `${outcomeText(answer)}\n`),
  exitCode: (answer) => ('code' in answer ? exitCodeOf(answer.code) : exitCodes.ok),
});

function isOfTrees<T extends object>(answer: T): answer is T & RefreshedTrees {
  return 'trees' in answer;
}

function treesText({ trees }: RefreshedTrees): string {
  return formatTable(
    ['TREE', 'OUTCOME'],
    trees.map((tree) => [tree.path, treeText(tree)]),
  );
}

function treeText({ outcome, generation, error }: RefreshedTree): string {
  if (outcome !== 'failed') return outcomeText({ outcome, generation });
  const { code = 'unknown', detail = '', hint = '' } = error ?? {};
  return `Failed (${code}): ${detail} ${hint}`.trimEnd();
}

function outcomeText({ outcome, generation }: Refreshed): string {
  if (outcome === 'requested') return 'The store is being looked at; --wait tells what comes of it.';
  if (generation === null) throw new TypeError(`${outcome} without a generation`);
  const { number, id } = generation;
  const shown = `generation ${number} ${id}`;
  return outcome === 'current' ? `Nothing new: ${shown} is current.` : `Published: ${shown}.`;
}

/**
 * Returns the value of --timeout in milliseconds, or the default. Throws ConfigError if the value is invalid.
 */
export function timeoutOf(given: Given, command: string): number {
  const text = lastValue(given.flags, 'timeout');
  if (text === undefined) return DEFAULT_TIMEOUT_MS;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= MOST_TIMEOUT_MS) return milliseconds;
  throw new ConfigError(
    'bad-value',
    `--timeout cannot be ${text}.`,
    `Allowed: a duration such as 10s or 5m, at most 1h. See dagmount help ${command}.`,
  );
}
