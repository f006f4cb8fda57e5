/**
 * The signals that stop a continuous command. SIGQUIT and SIGHUP are among them, so that the command restores
 * the terminal after these, too.
 */
const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface StopSignals {
  /** Aborts at the first of the stop signals. A second one ends the process, as by default. */
  readonly signal: AbortSignal;
  /** Gives the stop signals their default effect again. */
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
