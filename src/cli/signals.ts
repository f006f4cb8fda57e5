import { endEarlySignals, terminalIsThere } from './early-signals.ts';

/** The signals that a mount handles. */
export interface Signals {
  /** Aborts at the first SIGINT or SIGTERM; a second one ends the process immediately. */
  readonly stop: AbortSignal;
  /** Registers a callback for SIGHUP. Calls it immediately if SIGHUP has arrived before. */
  onRefreshAsked(callback: () => void): void;
  /** Registers a callback for SIGUSR2. */
  onRestartAsked(callback: () => void): void;
  /** Restores the default effect of the signals. */
  release(): void;
}

/** Exit codes that shells use for a process that a signal ended. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Handles the signals of a mount.
 *
 * @param onTerminal whether there was a terminal at the start; if it is closed when SIGHUP arrives, SIGHUP
 *   ends the mount
 * @param onSecond called before the process ends immediately
 */
export function listenToSignals(onTerminal: boolean, onSecond: () => void): Signals {
  const stopping = new AbortController();
  const refreshers: (() => void)[] = [];
  let isRefreshOwed = false;
  const restarters: (() => void)[] = [];
  const end = (signal: keyof typeof ENDED_BY) => {
    if (stopping.signal.aborted) {
      onSecond();
      process.exit(ENDED_BY[signal]);
    }
    stopping.abort();
  };
  const hangUp = () => {
    if (onTerminal && !terminalIsThere()) stopping.abort();
    else if (refreshers.length === 0) isRefreshOwed = true;
    else for (const refresh of refreshers) refresh();
  };
  const restart = () => {
    for (const callback of restarters) callback();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', hangUp);
  process.on('SIGUSR2', restart);
  isRefreshOwed ||= endEarlySignals();
  return {
    stop: stopping.signal,
    onRefreshAsked: (callback) => {
      refreshers.push(callback);
      if (isRefreshOwed) callback();
      isRefreshOwed = false;
    },
    onRestartAsked: (callback) => {
      restarters.push(callback);
    },
    release: () => {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      process.off('SIGHUP', hangUp);
      process.off('SIGUSR2', restart);
    },
  };
}
