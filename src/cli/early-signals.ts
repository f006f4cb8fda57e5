import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STDERR = 2;
/** Exit code that shells use for a process that SIGHUP ended. */
const HUNG_UP = 129;

let onTerminal = false;
let asked = false;

const hangUp = (): void => {
  if (onTerminal && !terminalIsThere()) process.exit(HUNG_UP);
  asked = true;
};
const ignore = (): void => undefined;

/**
 * Handles SIGHUP and SIGUSR2 until a mount has installed its signal handlers; by default these signals would
 * end the process. Call this before anything else is loaded.
 */
export function heedEarlySignals(): void {
  onTerminal = isatty(STDERR);
  process.on('SIGHUP', hangUp);
  // This handler is never removed: a mount installs its own handler later, and other processes install none.
  process.on('SIGUSR2', ignore);
}

/**
 * Removes the early handler of SIGHUP, because another handler takes over from now on. Returns whether SIGHUP
 * has already arrived.
 */
export function endEarlySignals(): boolean {
  process.off('SIGHUP', hangUp);
  const was = asked;
  asked = false;
  return was;
}

/**
 * Whether this process still has a controlling terminal. After the terminal is closed, /dev/tty cannot be
 * opened.
 */
export function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
