import { checkGeneration } from './check.ts';
import { Generation } from './generation.ts';
import type { NameHash } from './name-hash.ts';

/** The generation as bytes for a file: its buffer as it is. A view, not a copy; it carries no checksum. */
export function generationBytes(generation: Generation): Uint8Array {
  return new Uint8Array(generation.buffer);
}

/**
 * The generation that these bytes were taken from, in a buffer of its own. That they are what was written is for
 * the caller to know, by a checksum; here every column is held against the rules that the accessors rely on, so
 * that not even a writer with a fault makes them loop or read out of range.
 *
 * Throws TreeError `not-a-generation`, `unsupported-format`, `truncated`, or `damaged` where they contradict
 * themselves.
 */
export function restoreGeneration(bytes: Uint8Array, hash?: NameHash): Generation {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  const generation = Generation.view(buffer, hash);
  checkGeneration(generation);
  return generation;
}
