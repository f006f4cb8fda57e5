import { printable, printableLines } from '../base/printable.ts';
import { exitCodeFor } from './error-codes.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** An error as a user meets it. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** The error's code; undefined for an unexpected error. */
  readonly code: string | undefined;
  /** One sentence of what is wrong. */
  readonly message: string;
  /** One sentence of what to do. */
  readonly hint: string;
  /** Where it came from; shown only on demand. */
  readonly stack: string | undefined;
}

const { software } = exitCodes;

const HINTS: Readonly<Record<string, string>> = {
  'bad-pattern': 'Correct or take away the pattern of --include, --exclude or --executable.',
};

const HINT_UNFORESEEN =
  'This is a fault of dagmount: run it again with --log-level debug and report what it says.';

/** The one place where errors become exit codes and sentences. */
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

/** For an error that is known only by its code. */
export function exitCodeOf(code: string): ExitCode {
  return exitCodeFor(code) ?? software;
}

/** What goes to stderr: two lines, and a stack trace where it is asked for. */
export function failureText(failure: Failure, withStack: boolean): string {
  const lines = [`dagmount: ${printable(failure.message)}`, printable(failure.hint)];
  if (withStack && failure.stack !== undefined) lines.push(printableLines(failure.stack));
  return `${lines.join('\n')}\n`;
}

/** On one line, ending as sentences do; a word at its beginning gets its capital, a path or an address does not. */
function sentence(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  const capital = /^[a-z]+(?=[ ,])/.test(line) ? line.charAt(0).toUpperCase() + line.slice(1) : line;
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** With the stacks of its causes. */
function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
