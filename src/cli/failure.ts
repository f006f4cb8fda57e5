import { printable, printableLines } from '../base/printable.ts';
import { exitCodeFor } from './error-codes.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** An error as shown to users. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** The error's code; undefined for an unexpected error. */
  readonly code: string | undefined;
  /** One sentence that says what is wrong. */
  readonly message: string;
  /** One sentence that says what to do. */
  readonly hint: string;
  /** The stack trace, shown only on request. */
  readonly stack: string | undefined;
}

const { software } = exitCodes;

const HINTS: Readonly<Record<string, string>> = {
  'bad-pattern': 'Correct or take away the pattern of --include, --exclude or --executable.',
};

const HINT_UNFORESEEN =
  'This is a bug in dagmount: run it again with --log-level debug and report what it says.';

/** The only place where errors are converted to exit codes and sentences. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return {
      exitCode: software,
      code: undefined,
      message: sentence(`Internal error: ${String(error)}`),
      hint: HINT_UNFORESEEN,
      stack: undefined,
    };
  }
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  const exitCode = typeof code === 'string' ? exitCodeFor(code) : undefined;
  if (exitCode === undefined) {
    return {
      exitCode: software,
      code: undefined,
      message: sentence(`Internal error: ${error.message}`),
      hint: HINT_UNFORESEEN,
      stack: stackOf(error),
    };
  }
  return {
    exitCode,
    code: code as string,
    message: sentence(error.message),
    hint: typeof hint === 'string' ? hint : (HINTS[code as string] ?? HINT_UNFORESEEN),
    stack: stackOf(error),
  };
}

/**
 * Converts the error of a command to a failure. `effect` is one sentence about a permanent change that the
 * command had already made; undefined if it made none.
 */
export function failureAfter(error: unknown, effect: string | undefined): Failure {
  const failure = failureOf(error);
  if (effect === undefined) return failure;
  // Replaces the usual hint of an interruption, which asks the user to check whether the command made such a
  // change.
  const hint = failure.code === 'interrupted' ? 'There is nothing to repeat.' : failure.hint;
  return { ...failure, message: `${failure.message} ${effect}`, hint };
}

/** Returns the exit code for an error code; for an unknown code, that of an internal error. */
export function exitCodeOf(code: string): ExitCode {
  return exitCodeFor(code) ?? software;
}

/** Formats a failure for stderr: two lines, and the stack trace if `withStack` is set. */
export function failureText(failure: Failure, withStack: boolean): string {
  const lines = [`dagmount: ${printable(failure.message)}`, printable(failure.hint)];
  if (withStack && failure.stack !== undefined) lines.push(printableLines(failure.stack));
  return `${lines.join('\n')}\n`;
}

/**
 * Formats a text as one line that ends with a full stop. Capitalizes a word at the beginning, but not a path or an
 * address.
 */
function sentence(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  const capital = /^[a-z]+(?=[ ,])/.test(line) ? line.charAt(0).toUpperCase() + line.slice(1) : line;
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Returns the stack trace of an error, followed by the stack traces of its causes. */
function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
