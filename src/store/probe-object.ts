import type { ObjectStore } from './object-store.ts';
import type { Stop } from './stop.ts';

/** Milliseconds to wait. A store that takes longer for one byte counts as not answering. */
const DEADLINE_MS = 10_000;

/**
 * Reads the first byte of an object, bypassing all caches. Rejects with StoreError if it cannot be read.
 *
 * @param key below the prefix
 */
export async function probeObject(store: Pick<ObjectStore, 'get'>, key: string, signal: Stop): Promise<void> {
  const range = { start: 0, end: 1 };
  // Uses a reader's priority, because the requests for many unreadable objects may fill all background
  // places.
  const { body } = await store.get(key, { range, signal, priority: 'demand', deadlineMs: DEADLINE_MS });
  for await (const _ of body) break;
}
