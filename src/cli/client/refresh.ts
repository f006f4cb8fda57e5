import { isGiven, lastValue } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import type { Refreshed } from '../../control/shapes/status.ts';
import { clientCommand, type Given } from './client-command.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const MOST_TIMEOUT_MS = 3_600_000;
/** The daemon enforces the time limit; this one is for a daemon that hangs. */
const GRACE_MS = 15_000;

export const run = clientCommand<Refreshed>({
  name: 'refresh',
  isOfTree: true,
  flags: [
    { name: 'wait', takesValue: false },
    { name: 'timeout', takesValue: true },
  ],
  ask: (client, given) => {
    const wait = isGiven(given.flags, 'wait');
    const timeoutMs = timeoutOf(given, 'refresh');
    const body = wait ? { wait, timeoutSeconds: Math.max(1, timeoutMs / 1000) } : {};
    return client.ask('/v1/refresh', { method: 'POST', body, deadlineMs: (wait ? timeoutMs : 0) + GRACE_MS });
  },
  show: ({ outcome, generation }) => {
    if (outcome === 'requested') return 'The store is being looked at; --wait tells what comes of it.\n';
    if (generation === null) throw new TypeError(`${outcome} without a generation`);
    const { number, id } = generation;
    const shown = `generation ${number} ${id}`;
    return outcome === 'current' ? `Nothing new: ${shown} is current.\n` : `Published: ${shown}.\n`;
  },
});

/** The time limit in milliseconds. */
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
