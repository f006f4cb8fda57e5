/**
 * Node.js opens its debugger when it gets SIGUSR1, on a port of 127.0.0.1 that every user of the host can reach: whoever
 * does reads all that the process holds. Once JavaScript runs, a listener of our own takes the signal
 * (`no-debugger.ts`). Before that, for some 20 ms, Node.js has it: so processes that we start are given an
 * address to listen at which no host has (RFC 5737), and the debugger fails to open. `--disable-sigusr1` would say it
 * better, but Node.js 20 refuses to start with it; this was tried with 20.20, 22.23 and 24.22.
 */
export const NO_DEBUGGER = '--inspect-port=192.0.2.1:9229';

type Started = Pick<NodeJS.Process, 'execPath' | 'execArgv' | 'env'>;

/** What starts this program's Node.js again, with the options that this process was given, and without a debugger. */
export function nodeCommand(started: Started = process): readonly [program: string, ...options: string[]] {
  return [started.execPath, ...nodeOptions(started)];
}

function nodeOptions({ execArgv, env }: Omit<Started, 'execPath'>): readonly string[] {
  return isDebugged({ execArgv, env }) || execArgv.includes(NO_DEBUGGER)
    ? execArgv
    : [...execArgv, NO_DEBUGGER];
}

/** Whether the operator has asked for a debugger. */
export function isDebugged({ execArgv, env }: Omit<Started, 'execPath'>): boolean {
  const options = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  return options.some((option) => /^--(inspect|debug-port)/.test(option) && option !== NO_DEBUGGER);
}
