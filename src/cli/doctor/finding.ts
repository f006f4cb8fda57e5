import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { failureOf } from '../failure.ts';

/** What one check found. */
export interface Finding {
  readonly name: string;
  readonly outcome: 'good' | 'doubtful' | 'bad';
  readonly detail: string;
  /** What to do; always there where the outcome is not good. */
  readonly hint?: string;
  /** Of the command, if this is the first bad one. */
  readonly exitCode?: ExitCode;
}

export function good(name: string, detail: string): Finding {
  return { name, outcome: 'good', detail };
}

/** Works, with less than one may expect. */
export function doubtful(name: string, detail: string, hint: string): Finding {
  return { name, outcome: 'doubtful', detail, hint };
}

export function bad(name: string, detail: string, hint: string, exitCode: ExitCode): Finding {
  return { name, outcome: 'bad', detail, hint, exitCode };
}

/** What a typed error says, as a finding. */
export function badBecause(name: string, error: unknown): Finding {
  const { message, hint, exitCode } = failureOf(error);
  return bad(name, message, hint, exitCode);
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  return findings.find(({ outcome }) => outcome === 'bad')?.exitCode ?? exitCodes.ok;
}
