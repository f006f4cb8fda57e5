import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a test context offers here; node:test's TestContext is one. */
export interface Cleanup {
  after(callback: () => Promise<void> | void): void;
}

/** Every directory that a test makes begins with this, so that scripts/test can name what one left behind. */
export const temporaryPrefix = 'dagmount-test-';

export async function makeTemporaryDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), temporaryPrefix));
}

export async function removeTemporaryDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** A directory that is removed when the test ends. */
export async function temporaryDirectory(test: Cleanup): Promise<string> {
  const directory = await makeTemporaryDirectory();
  test.after(() => removeTemporaryDirectory(directory));
  return directory;
}
