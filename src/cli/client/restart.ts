import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Restarted, Status } from '../../control/shapes/status.ts';
import type { Shell } from '../shell.ts';
import { clientCommand } from './client-command.ts';
import { timeoutOf } from './refresh.ts';
import { clientOf, runningStates } from './running-daemons.ts';

const GRACE_MS = 15_000;
/** Time limit of one request, because the socket of a dead server may be open although no process answers. */
const LOOK_MS = 5_000;
const PAUSE_MS = 100;

interface Replaced {
  /** The pid of the server that ended. */
  readonly was: number;
  readonly pid: number;
  readonly version: string;
}

export const run = clientCommand<Replaced>({
  name: 'restart',
  flags: [{ name: 'timeout', takesValue: true }],
  ask: async (client, given, shell) => {
    const timeoutMs = timeoutOf(given, 'restart');
    const before = await client.ask<Status>('/v1/status');
    const restarted = { method: 'POST' as const, body: undefined, deadlineMs: timeoutMs + GRACE_MS };
    try {
      await client.ask<Restarted>('/v1/restart', restarted);
    } catch (error) {
      if (!isCutOff(error)) throw error;
      throw brokenOff(before, await successor(client, before, Math.min(timeoutMs, GRACE_MS), shell));
    }
    const { pid, version } = await successor(client, before, timeoutMs, shell);
    return { was: before.pid, pid, version };
  },
  show: ({ was, pid, version }) => `Server ${pid}, version ${version}, has taken over from server ${was}.\n`,
});

/**
 * Waits until another server than the old one answers, and returns its status. The socket outlives its
 * servers, so a client that connects between two servers waits for the next one. That server may listen on
 * another socket, if its settings have changed; therefore this looks up the socket again before each attempt.
 */
async function successor(
  asked: ControlClient,
  { pid: was, mount: { source, target } }: Status,
  timeoutMs: number,
  shell: Shell,
): Promise<Status> {
  const end = shell.now() + timeoutMs;
  for (let client = asked; ; ) {
    let failed: unknown;
    try {
      const status = await client.ask<Status>('/v1/status', { deadlineMs: LOOK_MS });
      if (status.pid !== was) return status;
    } catch (error) {
      if (!isCutOff(error) && !isSilent(error)) throw error;
      failed = error;
    }
    if (shell.now() > end) {
      throw (
        failed ??
        new ClientError(
          'daemon-silent',
          `Server ${was} has not ended.`,
          'Read the log of the daemon; its mount stays available.',
        )
      );
    }
    await shell.delay(PAUSE_MS);
    const state = runningStates(shell, () => undefined).find(
      (each) => each.target === target && each.source === source,
    );
    if (state !== undefined && state.socket !== null) client = clientOf(state, shell);
  }
}

/**
 * Creates the error for a server that ended before it answered the request to restart, so that it is unknown
 * what ended it.
 */
function brokenOff({ pid: was }: Status, { pid, version }: Status): ClientError {
  return new ClientError(
    'restart-unclear',
    `Server ${was} ended before it had answered; server ${pid}, version ${version}, serves in its place.`,
    'Whether that has the options of now is not known: run dagmount restart again.',
  );
}

/** Whether the connection broke because the server ended, or because no server is listening at this moment. */
function isCutOff(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'daemon-unavailable';
}

function isSilent(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'daemon-silent';
}
