import type { ListingColumns } from './columns.ts';
import { corrupt, quotedKey } from './errors.ts';
import { MAX_KEY_BYTES } from './key.ts';
import { compareKeys, type RangeListing } from './range.ts';

/** A range that was read separately. */
export interface RangePart extends RangeListing {
  readonly columns: ListingColumns;
  /** Whether the range was too large, and therefore not read to its end. */
  readonly isCut: boolean;
}

/** Checks that separately read ranges join without a gap. */
export class Seam {
  /** The first key after the ranges so far. The next range that has keys must begin with it. */
  #expected: Uint8Array | undefined;
  #ended = false;

  join(part: RangePart): 'fits' | 'disorder' | 'changed' {
    if (!part.ordered) return 'disorder';
    if (part.columns.count > 0) {
      const first = part.columns.key(0);
      if (this.#ended) return 'changed';
      if (this.#expected !== undefined && compareKeys(this.#expected, first) !== 0) return 'changed';
      this.#expected = undefined;
    }
    if (part.firstBeyond !== undefined) {
      if (this.#expected !== undefined && compareKeys(this.#expected, part.firstBeyond) !== 0)
        return 'changed';
      this.#expected = part.firstBeyond;
    } else if (this.#expected !== undefined) return 'changed';
    this.#ended ||= part.ended;
    return 'fits';
  }
}

/**
 * Throws if a key occurs twice. A store that continues at the wrong place repeats keys, and may then also
 * omit others.
 */
export function refuseRepeats(columns: ListingColumns, prefix: string): void {
  const seen = new Set<string>();
  for (let row = 0; row < columns.count; row++) {
    const key = columns.key(row);
    // A key that was cut may be the beginning of several keys.
    if (key.length > MAX_KEY_BYTES) continue;
    const { size } = seen;
    seen.add(Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1'));
    if (seen.size === size)
      throw corrupt(`the listing contains a key twice: ${quotedKey(Buffer.from(prefix), key)}`);
  }
}
