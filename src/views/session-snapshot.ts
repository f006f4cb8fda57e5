import type { MetricsSnapshot } from '../control/metrics/metrics.ts';
import type { Probe } from '../control/shapes/status.ts';
import type { SessionCounters } from '../session/messages.ts';
import type { RequestMeter } from '../session/request-meter.ts';

const ANSWER_MS = 5_000;

/** The session of a mount, as the views read it. */
export interface ObservedSession {
  readonly counters: () => Promise<SessionCounters>;
  /** The current counters of the session. */
  readonly meter: Pick<RequestMeter, 'localReads' | 'opcodes' | 'readErrors' | 'durations'>;
  /** If the session does not respond within this many milliseconds, health fails; default 5,000. */
  readonly answerMs?: number;
}

/** Checks whether the session answers in time. */
export async function healthOf(observed: ObservedSession): Promise<Probe> {
  return (await countersOf(observed)) === undefined
    ? failing('session-unresponsive')
    : { status: 'ok', reasons: [] };
}

/** Returns the figures of the session for the metrics; undefined if the session does not answer. */
export async function sessionSnapshot(observed: ObservedSession): Promise<MetricsSnapshot['session']> {
  const counters = await countersOf(observed);
  const { opcodes, readErrors, durations } = observed.meter;
  return counters && { opcodes, readErrors, durations };
}

async function countersOf({
  counters,
  answerMs = ANSWER_MS,
}: ObservedSession): Promise<SessionCounters | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), answerMs);
  });
  try {
    return await Promise.race([counters(), late]);
  } finally {
    clearTimeout(timer);
  }
}

export function failing(reason: string): Probe {
  return { status: 'fail', reasons: [reason] };
}
