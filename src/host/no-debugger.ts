import { isDebugged } from './node-command.ts';

/**
 * Import this before anything else in each process of dagmount: from then on SIGUSR1 has no effect. See
 * `node-command.ts`.
 */
process.on('SIGUSR1', () => undefined);

/** How long after the start the debugger is closed once more: an earlier signal may open it with a delay. */
const LATER_MS = 100;

interface Inspector {
  url(): string | undefined;
  close(): void;
}

function closeDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector') as Inspector | undefined;
  if (inspector?.url() !== undefined) inspector.close();
}

if (!isDebugged(process)) {
  closeDebugger();
  setImmediate(closeDebugger);
  setTimeout(closeDebugger, LATER_MS).unref();
}
