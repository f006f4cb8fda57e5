import assert from 'node:assert/strict';
import { testedDriver } from './driver.ts';
import { type Reader, startPython } from './reader.ts';

/** The results that importing.py prints at its end. */
export interface ImporterReadings {
  readonly passes: number;
  readonly proven: number;
  readonly generations: number;
  readonly versions: readonly number[];
  readonly mixed: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Starts a process that walks and imports the package `shared` of a mount, over and over.
 * @param restSeconds the pause between two looks; at 0, a few such processes use the whole CPU
 */
export function startImporter(target: string, restSeconds = 0): Reader {
  const sizes = testedDriver === 'fuse-native' ? ['sizes-by-path'] : [];
  return startPython('importing.py', [target, 'shared', String(restSeconds), ...sizes], {
    stdin: 'pipe',
    deadlineMs: 1_500_000,
  });
}

export async function endImporter(reader: Reader): Promise<ImporterReadings> {
  reader.end();
  const { code, stdout, stderr } = await reader.done;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as ImporterReadings;
}
