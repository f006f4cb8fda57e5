import { closeSync, openSync } from 'node:fs';

/** What signals ask of a mount. */
export interface Signals {
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly stop: AbortSignal;
  /** SIGHUP. */
  onRefreshAsked(callback: () => void): void;
  /** Signals mean again what they mean by default. */
  release(): void;
}

/** Exit codes of a process that a signal ended, as shells have them. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * @param onTerminal whether a terminal was there at the start: where it has gone since, its SIGHUP means the end
 * @param onSecond called before the process ends at once
 */
export function listenToSignals(onTerminal: boolean, onSecond: () => void): Signals {
  const stopping = new AbortController();
  const callbacks: (() => void)[] = [];
  const end = (signal: keyof typeof ENDED_BY) => {
    if (stopping.signal.aborted) {
      onSecond();
      process.exit(ENDED_BY[signal]);
    }
    stopping.abort();
  };
  const hangUp = () => {
    if (onTerminal && !terminalIsThere()) stopping.abort();
    else for (const callback of callbacks) callback();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', hangUp);
  return {
    stop: stopping.signal,
    onRefreshAsked: (callback) => {
      callbacks.push(callback);
    },
    release: () => {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      process.off('SIGHUP', hangUp);
    },
  };
}

/** Whether this process has a terminal that controls it: /dev/tty is refused once it was closed. */
function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
