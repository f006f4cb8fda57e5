import type { Cleanup } from '../test/support/temporary.ts';

/** Runs a bench, or a turn of one. Then runs the deferred functions, the last one first, even after a failure. */
export async function withCleanup<T>(bench: (context: Cleanup) => Promise<T>): Promise<T> {
  const ends: (() => Promise<void> | void)[] = [];
  try {
    return await bench({ after: (callback) => ends.unshift(callback) });
  } finally {
    for (const end of ends) await end();
  }
}
