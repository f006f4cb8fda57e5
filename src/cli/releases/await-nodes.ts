import { type Flag, type FlagSpec, lastValue, valuesOf } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import type { TakenStep } from '../../deploy/current-step.ts';
import type { ReleaseRoot } from '../../deploy/open-root.ts';
import { CommandError } from '../command-error.ts';
import { formatDuration, plural } from '../format.ts';
import type { Shell } from '../shell.ts';
import { askNode, type NodeRelease } from './node-release.ts';

export const WAIT_FLAGS: readonly FlagSpec[] = [
  { name: 'wait', takesValue: true },
  { name: 'node', takesValue: true },
];

/** The nodes to wait for, and the time limit. */
export interface NodeWait {
  readonly milliseconds: number;
  /** The nodes, each given by its control socket or by its address of --metrics-listen. */
  readonly nodes: readonly string[];
}

/** The result of waiting for one node. */
export interface NodeEnd {
  readonly node: string;
  /** Whether the node shows the step or a later one. */
  readonly shown: boolean;
  /** Why the node does not show the step; null if it does. */
  readonly reason: string | null;
}

const POLL_MS = 250;
const MOST_NODES = 1_000;

/**
 * Reads --wait and --node. Returns undefined if neither is given, so that the command does not wait. Throws
 * ConfigError if one of them is missing or invalid.
 */
export function nodeWait(flags: readonly Flag[]): NodeWait | undefined {
  const wait = lastValue(flags, 'wait');
  const nodes = [...new Set(valuesOf(flags, 'node'))];
  if (wait === undefined && nodes.length === 0) return undefined;
  if (wait === undefined || nodes.length === 0 || nodes.length > MOST_NODES) {
    throw new ConfigError(
      'usage',
      nodes.length > MOST_NODES
        ? `--node names more than ${MOST_NODES} nodes.`
        : `--${wait === undefined ? 'wait' : 'node'} is missing.`,
      'Pass both, as in --wait 60s --node /run/dagmount/0123456789ab.sock --node http://worker-2:9464.',
    );
  }
  const milliseconds = parseDuration(wait);
  if (milliseconds === undefined) {
    throw new ConfigError(
      'usage',
      `--wait cannot be ${JSON.stringify(wait)}.`,
      'Write a duration, as 60s or 5m.',
    );
  }
  return { milliseconds, nodes };
}

/**
 * Polls the nodes until each of them shows the step or a later one, until a node is found that will never
 * show it, or until the time limit. If the step has a start time (--at), the limit counts from then.
 */
export async function awaitNodes(
  { milliseconds, nodes }: NodeWait,
  { payload }: TakenStep,
  shell: Shell,
  root: Pick<ReleaseRoot, 'now'>,
  signal: AbortSignal,
): Promise<readonly NodeEnd[]> {
  // Uses the store's clock, as nodes do: this host's clock may be a day off.
  const armedFor = Math.max(0, (payload.notBefore ?? 0) - root.now());
  const deadline = shell.now() + armedFor + milliseconds;
  const ends = new Map<string, NodeEnd>();
  let never = false;
  if (shell.err.isTerminal) shell.err.write(`dagmount: waiting for ${plural(nodes.length, 'node')}\n`);
  const ask = async (node: string): Promise<void> => {
    const found = judge(await askNode(node, deadline - shell.now(), signal), payload);
    ends.set(node, {
      node,
      shown: found.kind === 'shown',
      reason: found.kind === 'shown' ? null : found.reason,
    });
    never ||= found.kind === 'never';
  };
  for (;;) {
    await Promise.all(nodes.filter((node) => ends.get(node)?.shown !== true).map(ask));
    signal.throwIfAborted();
    if (never || nodes.every((node) => ends.get(node)?.shown === true) || shell.now() >= deadline) break;
    await shell.delay(POLL_MS, signal);
  }
  return nodes.map((node) => ends.get(node)!);
}

/** Throws CommandError if a node does not show the step. */
export function requireShown(
  ends: readonly NodeEnd[],
  { payload: { environment, sequence } }: TakenStep,
  { milliseconds }: NodeWait,
): void {
  const lagging = ends.filter(({ shown }) => !shown);
  if (lagging.length === 0) return;
  const named = lagging.slice(0, 5).map(({ node, reason }) => `${node} ${reason}`);
  const more = lagging.length > named.length ? `; and ${lagging.length - named.length} more` : '';
  throw new CommandError(
    'node-lags',
    `${lagging.length} of ${plural(ends.length, 'node')} did not show step ${sequence} of ${environment} within ` +
      `${formatDuration(milliseconds)}: ${named.join('; ')}${more}.`,
    'See dagmount status on that node; dagmount rollback takes the step back.',
  );
}

type Judgement =
  | { readonly kind: 'shown' }
  | { readonly kind: 'not-yet'; readonly reason: string }
  | { readonly kind: 'never'; readonly reason: string };

function judge(found: NodeRelease, { environment, sequence, release }: TakenStep['payload']): Judgement {
  if (found.kind === 'silent') return { kind: 'not-yet', reason: `does not answer (${found.reason})` };
  if (found.kind === 'none') return { kind: 'never', reason: 'shows no release' };
  if (found.ref !== environment) return { kind: 'never', reason: `shows ${found.ref}` };
  if (found.sequence > sequence) return { kind: 'shown' };
  if (found.sequence === sequence) {
    if (found.release === release) return { kind: 'shown' };
    return { kind: 'never', reason: `shows another release as step ${sequence}: ${found.release}` };
  }
  const held = found.held === undefined ? '' : `, and holds a newer one (${found.held})`;
  return { kind: 'not-yet', reason: `shows step ${found.sequence}${held}` };
}
