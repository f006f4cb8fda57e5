import type { ServerPort } from '../server/server-port.ts';
import { failureAfter, failureText } from './failure.ts';
import { processShell } from './process-shell.ts';
import { runCommandLine } from './run.ts';

/** How long resources that a command left open may delay the end of the process. */
const EXIT_MS = 2_000;

/** Runs the command line of this process and sets its exit code. */
export function startCli(loadServer: () => Promise<ServerPort>): void {
  const shell = processShell(loadServer);
  process.on('uncaughtException', (error) => {
    const failure = failureAfter(error, shell.effect);
    // For an unexpected error the stack is the only information.
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
    // A leftover connection or thread must not keep the process alive after its mount is gone.
    setTimeout(() => process.exit(), EXIT_MS).unref();
  });
}
