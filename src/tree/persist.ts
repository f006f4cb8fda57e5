import { checkGeneration } from './check.ts';
import { Generation } from './generation.ts';
import type { NameHash } from './name-hash.ts';

/**
 * Returns the generation as bytes for a file: its buffer as it is. The result is a view, not a copy, and has
 * no checksum.
 */
export function generationBytes(generation: Generation): Uint8Array {
  return new Uint8Array(generation.buffer);
}

/**
 * Decodes a generation into its own buffer. The caller must verify the bytes by a checksum. This function
 * checks every column against the invariants of the accessors, so that even bytes from a faulty writer cannot
 * make an accessor loop or read out of range.
 *
 * Throws TreeError `not-a-generation`, `unsupported-format` or `truncated`; `bad-state` if the header gives a
 * tree that is too large; or `damaged` if the columns contradict themselves.
 */
export function restoreGeneration(bytes: Uint8Array, hash?: NameHash): Generation {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  const generation = Generation.view(buffer, hash);
  checkGeneration(generation);
  return generation;
}
