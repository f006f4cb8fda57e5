import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Restarted, Status } from '../../control/shapes.ts';
import { clientCommand } from './client-command.ts';
import { timeoutOf } from './refresh.ts';

const GRACE_MS = 15_000;

interface Replaced {
  /** Of the server that ended. */
  readonly was: number;
  readonly pid: number;
  readonly version: string;
}

export const run = clientCommand<Replaced>({
  name: 'restart',
  flags: [{ name: 'timeout', takesValue: true }],
  ask: async (client, given) => {
    const timeoutMs = timeoutOf(given, 'restart');
    const restarted = { method: 'POST' as const, body: undefined, deadlineMs: timeoutMs + GRACE_MS };
    const { pid: was } = await client.ask<Restarted>('/v1/restart', restarted);
    const { pid, version } = await successor(client, was, timeoutMs);
    return { was, pid, version };
  },
  show: ({ was, pid, version }) => `Server ${pid}, version ${version}, has taken over from server ${was}.\n`,
});

/** The socket outlives its servers: whoever asks while none is there waits for the next. */
async function successor(client: ControlClient, was: number, timeoutMs: number): Promise<Status> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      const status = await client.ask<Status>('/v1/status', { deadlineMs: timeoutMs });
      if (status.pid !== was) return status;
    } catch (error) {
      // Cut off by the end of the one that was asked.
      if (!(error instanceof ClientError && error.code === 'daemon-unavailable')) throw error;
    }
    if (performance.now() > end) {
      throw new ClientError(
        'daemon-silent',
        `Server ${was} has not ended.`,
        'Look into the log of the daemon; its mount goes on.',
      );
    }
  }
}
