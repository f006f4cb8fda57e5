/** What ends a command that goes on by itself; SIGQUIT and SIGHUP too, so that a terminal is given back after each. */
const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface StopSignals {
  /** Aborted by the first of them; a second one ends the process as it does by default. */
  readonly signal: AbortSignal;
  /** Signals mean again what they mean by default. */
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
