import { printable, printableJson } from '../../base/printable.ts';
import { isGiven, lastValue } from '../../config/command-line.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError, unintelligible } from '../../control/client-error.ts';
import { type ServerSentEvent, serverSentEvents } from '../../control/http/event-stream.ts';
import type { DaemonEvent } from '../../control/shapes/events.ts';
import { exitCodes } from '../exit-codes.ts';
import { paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { type Given, givenOf, oneClient } from './client-command.ts';
import { eventLine } from './event-line.ts';
import { shownAnswer } from './shown-answer.ts';
import { listenForStop } from './stop-signals.ts';

const command = { name: 'events', flags: [{ name: 'after', takesValue: true }] } as const;

/** A daemon sends a keep-alive every 15 s; longer silence counts as a broken stream. */
const SILENCE_MS = 45_000;
const RETRY_MS = 1_000;
/**
 * How long the command waits for a lost daemon. Readers wait as long for a new server, unless
 * --takeover-deadline says otherwise.
 */
const GIVE_UP_MS = 60_000;

export const run: RunCommand = async (args, shell) => {
  const given = givenOf(args, command);
  const client = oneClient(given, shell, command.name);
  const signals = listenForStop();
  try {
    // Also ends the command when the reader of the output closes the pipe, as head(1) does after ten lines.
    const stop = AbortSignal.any([signals.signal, shell.out.lost]);
    await follow(client, given, shell, stop);
    return exitCodes.ok;
  } finally {
    signals.release();
  }
};

/**
 * Prints events until `stop` aborts. If the stream breaks, resumes it after the last event that arrived.
 * Rejects with ClientError if the first connection fails, if the daemon refuses the request, or if it does
 * not come back.
 */
async function follow(client: ControlClient, given: Given, shell: Shell, stop: AbortSignal): Promise<void> {
  let last = lastValue(given.flags, 'after') ?? '';
  /** When the stream broke; undefined while it is connected, or if it never was. */
  let lostAt: number | undefined;
  let hasStood = false;
  while (!stop.aborted) {
    try {
      const headers = { Accept: 'text/event-stream', ...(last !== '' && { 'Last-Event-ID': last }) };
      const stream = client.stream('/v1/events', { headers, signal: stop, silenceMs: SILENCE_MS });
      const begun = onFirst(stream, () => {
        if (lostAt !== undefined) shell.err.write('dagmount: The daemon answers again.\n');
        hasStood = true;
        lostAt = undefined;
      });
      for await (const event of serverSentEvents(begun)) {
        last = event.id === '' ? last : event.id;
        print(event, client, given, shell);
      }
    } catch (error) {
      if (stop.aborted) return;
      const transient = error instanceof ClientError && isTransient(error);
      const isOver = lostAt !== undefined && shell.now() - lostAt > GIVE_UP_MS;
      if (!hasStood || !transient || isOver) throw error;
    }
    if (stop.aborted) return;
    if (lostAt === undefined) {
      lostAt = shell.now();
      shell.err.write('dagmount: The daemon went away; waiting for it to come back.\n');
    }
    await shell.delay(RETRY_MS, stop);
  }
}

async function* onFirst(chunks: AsyncIterable<Buffer>, callback: () => void): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst) callback();
    isFirst = false;
    yield chunk;
  }
}

/**
 * Whether the error can be that of a daemon that restarts: such a daemon has no socket, or has a socket on
 * which no process listens, or ends before it answers.
 */
function isTransient({ code, status }: ClientError): boolean {
  return code === 'daemon-unavailable' || code === 'daemon-silent' || status === 503;
}

function print({ type, data }: ServerSentEvent, client: ControlClient, given: Given, shell: Shell): void {
  const event = parsed(data, client);
  if (isGiven(given.flags, 'json')) {
    shell.out.write(`${printableJson(JSON.stringify(event))}\n`);
    return;
  }
  const shown = shownAnswer(event);
  // A newer daemon may send events that this command does not know.
  shell.out.write(eventLine(shown, paintsFor(shell.out)) ?? `${shown.at}  ${printable(type)}\n`);
}

/** Parses the data of an event. Throws ClientError if the data is not JSON. */
function parsed(data: string, { socket }: ControlClient): DaemonEvent {
  try {
    return JSON.parse(data) as DaemonEvent;
  } catch (error) {
    throw unintelligible(socket, error);
  }
}
