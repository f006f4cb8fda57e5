import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STDERR = 2;
/** Exit code of a process that SIGHUP ended, as shells have it. */
const HUNG_UP = 129;

let onTerminal = false;
let asked = false;

const hangUp = (): void => {
  if (onTerminal && !terminalIsThere()) process.exit(HUNG_UP);
  asked = true;
};
const ignore = (): void => undefined;

/**
 * Signals to a mount would by default end a process that is still starting. Call this before anything else is loaded.
 */
export function heedEarlySignals(): void {
  onTerminal = isatty(STDERR);
  process.on('SIGHUP', hangUp);
  // Permanent: the real handlers are installed later, and not in every process.
  process.on('SIGUSR2', ignore);
}

/** From here on another handler handles SIGHUP. Returns whether SIGHUP has arrived. */
export function endEarlySignals(): boolean {
  process.off('SIGHUP', hangUp);
  const was = asked;
  asked = false;
  return was;
}

/** Whether this process has a terminal that controls it: /dev/tty is refused once it was closed. */
export function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
