import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import type { PathResult, PathResults } from '../../control/shapes/cache.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { exitCodeOf } from '../failure.ts';
import { formatSize, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import type { RunCommand } from '../shell.ts';
import type { CacheAction } from './cache-actions.ts';
import { type ClientCommand, clientCommand, type Given } from './client-command.ts';
import { timeoutOf } from './refresh.ts';
import { type Located, locateEach } from './tree-path.ts';

type PathAction = Exclude<CacheAction, 'stats' | 'ls' | 'verify'>;

const DONE: Readonly<Record<PathAction, readonly [done: string, unchanged: string]>> = {
  evict: ['evicted', 'not in the cache'],
  pin: ['pinned', 'pinned already'],
  unpin: ['unpinned', 'was not pinned'],
  prefetch: ['fetched', 'in the cache already'],
};
/** Maximum number of paths in one request. */
const MOST_PATHS = 1_000;
/**
 * Time that the command waits beyond the time limit. The daemon enforces the limit itself, so the command
 * gives up on its own only if the daemon hangs.
 */
const GRACE_MS = 15_000;
const DEADLINE_MS = 120_000;

export async function runCachePaths(
  action: PathAction,
  ...[args, shell]: Parameters<RunCommand>
): Promise<number> {
  return await clientCommand(commandOf(action))(args, shell);
}

function commandOf(action: PathAction): ClientCommand<PathResults> {
  const waits = action === 'prefetch';
  return {
    name: 'cache',
    isOfTree: true,
    flags: waits ? [{ name: 'timeout', takesValue: true }] : [],
    arguments: Number.POSITIVE_INFINITY,
    check: (given) => {
      if (given.positionals.length === 0) {
        throw new ConfigError(
          'usage',
          `Which paths to ${action} is missing.`,
          `Name at least one, or . for the whole tree. See dagmount help cache.`,
        );
      }
      if (waits) timeoutOf(given, 'cache');
    },
    ask: async (client, given) => await askInParts(client, action, given, waits),
    show: ({ items }, { paints }) => items.map((item) => lineOf(item, DONE[action], paints)).join(''),
    exitCode: ({ items }) => exitCodeOfResults(items),
  };
}

async function askInParts(
  client: ControlClient,
  action: PathAction,
  given: Given,
  waits: boolean,
): Promise<PathResults> {
  const paths = await locateEach(client, given.positionals);
  const timeoutMs = waits ? timeoutOf(given, 'cache') : undefined;
  const items: PathResult[] = [];
  for (let at = 0, end = 0; at < paths.length; at = end) {
    const { client: asked, version, tree } = paths[at]!;
    const isBeside = (one: Located | undefined): boolean => one?.tree === tree && one.version === version;
    for (end = at; end < at + MOST_PATHS && isBeside(paths[end]); ) end += 1;
    const part = await asked.ask<PathResults>(`/v1/cache/${action}`, {
      method: 'POST',
      body: {
        paths: paths.slice(at, end).map(({ path }) => path),
        ...(version !== undefined && { version }),
        ...(timeoutMs !== undefined && { timeoutSeconds: timeoutMs / 1000 }),
      },
      deadlineMs: timeoutMs === undefined ? DEADLINE_MS : timeoutMs + GRACE_MS,
    });
    const above =
      version !== undefined ? `versions/${version}/` : client.tree === tree || tree === '' ? '' : `${tree}/`;
    items.push(
      ...part.items.map((item) => ({
        ...item,
        path: item.path === '' && above !== '' ? above.slice(0, -1) : above + item.path,
      })),
    );
  }
  return { items };
}

function lineOf(
  { path, outcome, files, bytes, code, detail }: PathResult,
  [done, unchanged]: readonly [string, string],
  paints: Paints,
): string {
  const name = path === '' ? '(the whole tree)' : path;
  const amount = `${plural(files, 'file')}, ${formatSize(bytes)}`;
  switch (outcome) {
    case 'done':
      return `${paints.green(done)}  ${name}  ${amount}\n`;
    case 'unchanged':
      return `${unchanged}  ${name}\n`;
    case 'failed': {
      const partly = files === 0 ? '' : ` (of others ${amount} ${done})`;
      return `${paints.red(`failed (${code})`)}  ${name}: ${detail ?? ''}${partly}\n`;
    }
    default:
      throw new Error(`unknown outcome: ${String(outcome satisfies never)}`);
  }
}

/** Returns the exit code for the first path that failed, or 0 if no path failed. */
function exitCodeOfResults(items: readonly PathResult[]): ExitCode {
  const failed = items.find(({ outcome }) => outcome === 'failed');
  return failed === undefined ? exitCodes.ok : exitCodeOf(failed.code ?? '');
}
