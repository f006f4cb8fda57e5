import { isDebugged } from './node-command.ts';

/**
 * To be imported before anything else by whatever is a process of its own: from here on SIGUSR1 does nothing. See
 * `node-command.ts`.
 */
process.on('SIGUSR1', () => undefined);

/** A signal that came before this line may have opened it already, or be about to. */
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
