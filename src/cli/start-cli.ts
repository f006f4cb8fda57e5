import type { ServerPort } from '../server/server-port.ts';
import { failureOf, failureText } from './failure.ts';
import { processShell } from './process-shell.ts';
import { runCommandLine } from './run.ts';

/** How long what a command left open may hold up its end. */
const EXIT_MS = 2_000;

/** Runs the command line of this process, whose exit code it sets. */
export function startCli(loadServer: () => Promise<ServerPort>): void {
  const shell = processShell(loadServer);
  process.on('uncaughtException', (error) => {
    const failure = failureOf(error);
    // Where nobody foresaw it, where it came from is all that there is to go by.
    const withStack = failure.code === undefined;
    shell.err.write(failureText(failure, withStack));
    shell.daemon?.tell({
      kind: 'failed',
      failure: { ...failure, stack: withStack ? failure.stack : undefined },
    });
    process.exit(failure.exitCode);
  });
  runCommandLine(process.argv.slice(2), shell).then((exitCode) => {
    process.exitCode = exitCode;
    // A connection or a thread that was left must not keep a process whose mount is gone.
    setTimeout(() => process.exit(), EXIT_MS).unref();
  });
}
