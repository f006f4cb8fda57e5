/**
 * Node.js opens its debugger on SIGUSR1, on a port of 127.0.0.1 that every user of the host can reach, and the
 * debugger can read everything that the process holds. Once JavaScript runs, dagmount's own listener handles the
 * signal (`no-debugger.ts`). Before that, for some 20 ms, Node.js handles it. So child processes get an inspector
 * address that no host has (RFC 5737), and the debugger fails to open. `--disable-sigusr1` would be clearer, but
 * Node.js 20 refuses to start with it; this was tried with 20.20, 22.23 and 24.22.
 */
export const NO_DEBUGGER = '--inspect-port=192.0.2.1:9229';

type Started = Pick<NodeJS.Process, 'execPath' | 'execArgv' | 'env'>;

/** The command that starts this program's Node.js again, with this process's options and without a debugger. */
export function nodeCommand(started: Started = process): readonly [program: string, ...options: string[]] {
  return [started.execPath, ...nodeOptions(started)];
}

function nodeOptions({ execArgv, env }: Omit<Started, 'execPath'>): readonly string[] {
  return isDebugged({ execArgv, env }) || execArgv.includes(NO_DEBUGGER)
    ? execArgv
    : [...execArgv, NO_DEBUGGER];
}

/** Whether the operator requested a debugger. */
export function isDebugged({ execArgv, env }: Omit<Started, 'execPath'>): boolean {
  const options = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  return options.some((option) => /^--(inspect|debug-port)/.test(option) && option !== NO_DEBUGGER);
}
