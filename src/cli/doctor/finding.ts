import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { failureOf } from '../failure.ts';

/** The result of one check. */
export interface Finding {
  readonly name: string;
  readonly outcome: 'good' | 'doubtful' | 'bad';
  readonly detail: string;
  /** The directory of the tree that the finding is about, if the mount shows several trees. */
  readonly tree?: string;
  /** What to do; always set if the outcome is not `good`. */
  readonly hint?: string;
  /** The command's exit code if this is the first bad finding. */
  readonly exitCode?: ExitCode;
}

export function good(name: string, detail: string): Finding {
  return { name, outcome: 'good', detail };
}

/** A finding for something that works, but worse than it could. */
export function doubtful(name: string, detail: string, hint: string): Finding {
  return { name, outcome: 'doubtful', detail, hint };
}

export function bad(name: string, detail: string, hint: string, exitCode: ExitCode): Finding {
  return { name, outcome: 'bad', detail, hint, exitCode };
}

/** Converts a typed error to a bad finding. */
export function badBecause(name: string, error: unknown): Finding {
  const { message, hint, exitCode } = failureOf(error);
  return bad(name, message, hint, exitCode);
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  return findings.find(({ outcome }) => outcome === 'bad')?.exitCode ?? exitCodes.ok;
}
