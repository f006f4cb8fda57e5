import { ConfigError } from './config-error.ts';
import type { OptionName } from './options/options.ts';
import { nameAtOrigin } from './origin.ts';
import type { PlacedTree } from './placed-trees.ts';
import type { ResolvedOption } from './resolve.ts';

/**
 * Options that belong to a single source. If the mount set them, all trees would share one standby, and take
 * each other's events from one queue.
 */
const OF_ONE_SOURCE = [
  'events',
  'standby-source',
  'standby-endpoint-url',
  'standby-region',
  'standby-profile',
] as const satisfies readonly OptionName[];

/**
 * Rejects options that cannot apply to several trees. `options` are those of the mount; `trees` must have at
 * least one tree. Throws ConfigError.
 */
export function rejectContradictingTrees(
  options: readonly ResolvedOption[],
  trees: readonly PlacedTree[],
): void {
  const { file, line } = trees[0]!.resolved.given;
  const given = options.filter(({ origin }) => origin.kind !== 'default');
  const versions = given.find(({ name, value }) => name === 'versions' && value === true);
  if (versions !== undefined) {
    throw new ConfigError(
      'bad-value',
      `${nameAtOrigin(versions.name, versions.origin)} cannot be used with trees (${file}, line ${line}).`,
      'Mount the release whose versions are needed by itself, with --ref and --versions.',
    );
  }
  for (const { name, value, origin } of given) {
    const isOfOneSource = (OF_ONE_SOURCE as readonly OptionName[]).includes(name);
    if (!isOfOneSource || (Array.isArray(value) && value.length === 0)) continue;
    throw new ConfigError(
      'bad-value',
      `${nameAtOrigin(name, origin)} is of one source, and trees (${file}, line ${line}) names several.`,
      `Set ${name} in the tree that it is for.`,
    );
  }
  requireQueuesOfTheirOwn(trees);
}

/**
 * Requires a queue of its own for each tree that has one: a message reaches only one reader, so another tree
 * with the same queue would miss the change.
 */
function requireQueuesOfTheirOwn(trees: readonly PlacedTree[]): void {
  const byQueue = new Map<string, PlacedTree>();
  for (const tree of trees) {
    const queue = tree.resolved.values.events;
    if (queue === undefined) continue;
    const other = byQueue.get(queue);
    if (other !== undefined) {
      throw new ConfigError(
        'bad-value',
        `The trees ${other.path} and ${tree.path} (${tree.resolved.given.file}) have one queue of events: each message goes to one of them.`,
        'Give each a queue of its own, which a topic of SNS can feed; or use webhook-listen, which has all trees look.',
      );
    }
    byQueue.set(queue, tree);
  }
}
