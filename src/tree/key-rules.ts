import { isUtf8 } from 'node:buffer';
import type { ProblemReason } from './problem.ts';

/** NAME_MAX of Linux. */
const LONGEST_COMPONENT = 255;
/**
 * PATH_MAX without its NUL: no system call could name a longer path. It also bounds the depth of the tree.
 */
const LONGEST_PATH = 4095;

/**
 * Returns why the key `keys[start .. end)` cannot be a path; undefined if it can. A key that ends with a
 * slash can only be that of a directory marker, an object of no bytes. The empty key is the marker of the
 * root.
 *
 * If the key breaks several rules, returns the first of: nul, not-utf8, the components from the left, the
 * total length, content under a slash.
 */
export function judgeKey(
  keys: Uint8Array,
  start: number,
  end: number,
  size: number,
): ProblemReason | undefined {
  // The object's whole key is the prefix, which ends in a slash.
  if (start === end) return size === 0 ? undefined : 'trailing-slash';
  let reason: ProblemReason | undefined;
  let component = start;
  let ascii = true;
  for (let at = start; at <= end; at++) {
    const byte = at === end ? 0x2f : keys[at]!;
    if (byte === 0) return 'nul';
    if (byte > 0x7f) ascii = false;
    if (byte !== 0x2f) continue;
    const marker = at === end && component === end;
    if (reason === undefined && !marker) reason = judgeComponent(keys, component, at);
    component = at + 1;
  }
  if (!ascii && !isUtf8(keys.subarray(start, end))) return 'not-utf8';
  if (reason !== undefined) return reason;
  if (end - start > LONGEST_PATH) return 'too-long';
  return keys[end - 1] === 0x2f && size !== 0 ? 'trailing-slash' : undefined;
}

function judgeComponent(keys: Uint8Array, start: number, end: number): ProblemReason | undefined {
  const length = end - start;
  if (length === 0) return 'empty-component';
  if (length > LONGEST_COMPONENT) return 'too-long';
  if (keys[start] !== 0x2e || length > 2) return undefined;
  return length === 1 || keys[start + 1] === 0x2e ? 'dot-component' : undefined;
}
