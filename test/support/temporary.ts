import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of a test context that this module needs; node:test's TestContext has it. */
export interface Cleanup {
  after(callback: () => Promise<void> | void): void;
}

const deferred = new WeakMap<Cleanup, (() => Promise<void> | void)[]>();

/**
 * Runs `callback` when the test ends, the last deferred first. node:test runs its own hooks in the order in which they
 * were added, which would remove a directory before what is mounted in it. Each callback runs, even if others fail.
 */
export function defer(test: Cleanup, callback: () => Promise<void> | void): void {
  const known = deferred.get(test);
  if (known !== undefined) {
    known.push(callback);
    return;
  }
  const callbacks = [callback];
  deferred.set(test, callbacks);
  test.after(async () => {
    const errors: unknown[] = [];
    for (let next = callbacks.pop(); next !== undefined; next = callbacks.pop()) {
      try {
        await next();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'more than one clean-up failed');
  });
}

/** The start of the name of every directory that a test makes, so that scripts/test can report those left behind. */
export const temporaryPrefix = 'dagmount-test-';

export async function makeTemporaryDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), temporaryPrefix));
}

export async function removeTemporaryDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** A directory that exists until the test ends. */
export async function temporaryDirectory(test: Cleanup): Promise<string> {
  const directory = await makeTemporaryDirectory();
  defer(test, () => removeTemporaryDirectory(directory));
  return directory;
}
