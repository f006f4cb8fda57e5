import type { ObjectStore } from './object-store.ts';

/** A store that takes longer for one byte does not answer. */
const DEADLINE_MS = 10_000;

/**
 * Reads the first byte of an object, with no cache in between. Rejects with StoreError where it cannot be had.
 *
 * @param key below the prefix
 */
export async function probeObject(
  store: Pick<ObjectStore, 'get'>,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const range = { start: 0, end: 1 };
  // As a reader's: where many objects cannot be had, their requests occupy every place of the background.
  const { body } = await store.get(key, { range, signal, priority: 'demand', deadlineMs: DEADLINE_MS });
  for await (const _ of body) break;
}
