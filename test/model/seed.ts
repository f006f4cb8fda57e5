import { randomInt } from 'node:crypto';
import type { RunDetails } from 'fast-check';
import fc from 'fast-check';

/** The part of a test context that reports a message. */
interface Told {
  diagnostic(message: string): void;
}

export const long = process.env.DAGMOUNT_TEST_LONG !== undefined;

/**
 * Parameters of fc.assert: another seed each time, unless DAGMOUNT_TEST_SEED has one (and DAGMOUNT_TEST_PATH the path
 * to a shrunk failure). This always prints the seed.
 */
export function seeded(
  test: Told,
  numRuns: number,
): { readonly seed: number; readonly numRuns: number; readonly path?: string } {
  const { DAGMOUNT_TEST_SEED: given, DAGMOUNT_TEST_PATH: path } = process.env;
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  test.diagnostic(`${numRuns} runs with DAGMOUNT_TEST_SEED=${seed}`);
  return { seed, numRuns, ...(path === undefined ? {} : { path }) };
}

/** How to see a failure again, followed by fast-check's own report. */
export function reportOf<T>(details: RunDetails<T>): string {
  const how = `again with DAGMOUNT_TEST_SEED=${details.seed} DAGMOUNT_TEST_PATH=${details.counterexamplePath}`;
  return `${how}\n${String(details.errorInstance)}\n${fc.defaultReportMessage(details) ?? ''}`;
}
