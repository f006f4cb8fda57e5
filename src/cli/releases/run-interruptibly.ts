import { CommandError } from '../command-error.ts';

/**
 * Runs a command that SIGINT and SIGTERM cancel: the first signal aborts the pending operations, so that
 * nothing is left half done, and the command fails with `interrupted`.
 */
export async function runInterruptibly(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(interrupted());
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(stopping.signal);
  } catch (error) {
    throw stopping.signal.aborted ? stopping.signal.reason : error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function interrupted(): CommandError {
  return new CommandError(
    'interrupted',
    'It was interrupted.',
    'See dagmount releases ENV for whether the step was taken; if not, run it again: what was uploaded is there.',
  );
}
