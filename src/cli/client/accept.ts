import { printableName } from '../../base/printable.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Accepted, TreeStatus } from '../../control/shapes/status.ts';
import { plural } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { timeoutOf } from './refresh.ts';
import { severalTrees, unnamedTrees } from './tree-path.ts';

const GRACE_MS = 15_000;
/**
 * The whole id of a generation. A shortened id, as `diff` accepts it, is refused, because the operator must
 * approve exactly one tree.
 */
const WHOLE_ID = /^[0-9a-f]{32}$/;

/**
 * The daemon's answer. `tree` is set only if the mount shows several trees and the command line has no
 * --tree.
 */
type AcceptedInTree = Accepted & { readonly tree?: string };

export const run = clientCommand<AcceptedInTree>({
  name: 'accept',
  isOfTree: true,
  flags: [{ name: 'timeout', takesValue: true }],
  arguments: 1,
  ask: async (client, given) => {
    const timeoutMs = timeoutOf(given, 'accept');
    const [generation] = given.positionals;
    if (generation !== undefined && !WHOLE_ID.test(generation)) {
      throw new ConfigError(
        'usage',
        `${JSON.stringify(generation)} is not the id of a generation.`,
        'Give all 32 hex digits, as dagmount status shows them of what is held, or none to accept that.',
      );
    }
    const accept = (asked: ControlClient): Promise<Accepted> =>
      asked.ask('/v1/accept', {
        method: 'POST',
        body: {
          ...(generation !== undefined && { generation }),
          timeoutSeconds: Math.max(1, timeoutMs / 1000),
        },
        deadlineMs: timeoutMs + GRACE_MS,
      });
    try {
      return await accept(client);
    } catch (error) {
      const trees = await unnamedTrees(client, error);
      if (trees === undefined) throw error;
      const tree = heldTree(trees, generation);
      return { ...(await accept(client.inTree(tree))), tree };
    }
  },
  show: ({ tree, generation: { number, id, files } }) => {
    const of = tree === undefined ? '' : ` of ${tree}`;
    return `Published: generation ${number} ${id}${of} with ${plural(files, 'file')}.\n`;
  },
});

/**
 * Returns the path of the only tree that holds a listing or release, or of the only tree that holds the
 * generation with this id. Throws CommandError if several trees match, and ClientError if none matches.
 */
function heldTree(trees: readonly TreeStatus[], generation: string | undefined): string {
  const held = trees.filter((tree) => tree.held !== null);
  const meant = generation === undefined ? held : held.filter((tree) => tree.held?.generation === generation);
  const [only, ...more] = meant;
  if (only !== undefined && more.length === 0) return only.path;
  if (only !== undefined) throw severalTrees(meant.map(({ path }) => path));
  if (held.length === 0) {
    throw new ClientError('nothing-held', 'No listing of any tree is held.', 'There is nothing to be done.');
  }
  const others = held.map(({ path }) => printableName(path)).join(', ');
  throw new ClientError(
    'held-changed',
    `No tree holds generation ${generation} back; something else is held of ${others}.`,
    'dagmount status shows what is held: accept that if it is what you want.',
  );
}
