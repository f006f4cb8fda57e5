import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import type { RunCommand } from '../shell.ts';
import { cacheActions } from './cache-actions.ts';
import { runCachePaths } from './cache-paths.ts';
import { runCacheVerify } from './cache-verify.ts';
import { runCacheBlobs, runCacheStats } from './cache-views.ts';

/**
 * Runs an action of `dagmount cache`. The action is the first argument that is neither an option nor the
 * value of an option; options may precede it.
 */
export const run: RunCommand = async (args, shell) => {
  const at = args.findIndex((arg, index) => !arg.startsWith('-') && !isValueAt(args, index));
  const name = args[at];
  const rest = args.filter((_, index) => index !== at);
  const action = cacheActions.find((each) => each === name);
  switch (action) {
    case 'stats':
      return await runCacheStats(rest, shell);
    case 'ls':
      return await runCacheBlobs(rest, shell);
    case 'verify':
      return await runCacheVerify(rest, shell);
    case 'evict':
    case 'pin':
    case 'unpin':
    case 'prefetch':
      return await runCachePaths(action, rest, shell);
    case undefined:
      throw unknownAction(name);
    default:
      throw new Error(`unknown action: ${String(action satisfies never)}`);
  }
};

function isValueAt(args: readonly string[], index: number): boolean {
  return ['--socket', '--mount', '--tree', '--timeout'].includes(args[index - 1] ?? '');
}

function unknownAction(name: string | undefined): ConfigError {
  if (name === undefined) {
    return new ConfigError(
      'usage',
      'The action of dagmount cache is missing.',
      `Say one of ${cacheActions.join(', ')}. See dagmount help cache.`,
    );
  }
  const meant = nearest(name, cacheActions);
  const hint = meant === undefined ? '' : `Did you mean dagmount cache ${meant}? `;
  return new ConfigError('usage', `There is no dagmount cache ${name}.`, `${hint}See dagmount help cache.`);
}
