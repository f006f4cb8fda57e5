/**
 * Signals that stop a continuous command, including SIGQUIT and SIGHUP, so that the terminal is restored after each.
 */
const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface StopSignals {
  /** The first signal aborts it; a second one ends the process as by default. */
  readonly signal: AbortSignal;
  /** Restores the default effect of the signals. */
  release(): void;
}

export function listenForStop(): StopSignals {
  const stopping = new AbortController();
  const stop = (): void => {
    release();
    stopping.abort();
  };
  const release = (): void => {
    for (const name of NAMES) process.off(name, stop);
  };
  for (const name of NAMES) process.on(name, stop);
  return { signal: stopping.signal, release };
}
