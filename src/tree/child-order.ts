import { compareBytes } from './bytes.ts';
import { wishedCookie } from './cookie.ts';
import type { Draft } from './draft.ts';
import type { NameHash } from './name-hash.ts';

/** The local number takes the low 22 bits of a double's 53, the cookie's high half the 31 above. */
const LOCAL_LIMIT = 2 ** 22;

/** Sorts the children of one directory by (wished cookie, name bytes). */
export class ChildOrder {
  readonly #draft: Draft;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  #packed = new Float64Array(1024);
  #copy = new Uint32Array(1024);

  constructor(draft: Draft, hash: NameHash, saltHigh: number, saltLow: number) {
    const high = new Uint32Array(draft.count);
    const low = new Uint32Array(draft.count);
    const out = new Uint32Array(2);
    const { keys } = draft.objects;
    for (let entry = 1; entry < draft.count; entry++) {
      const start = draft.nameStarts[entry]!;
      wishedCookie(hash, saltHigh, saltLow, keys, start, start + draft.nameLengths[entry]!, out);
      high[entry] = out[1]!;
      low[entry] = out[0]!;
    }
    this.#draft = draft;
    this.#high = high;
    this.#low = low;
  }

  /** The cookie that an entry gets where no other wants it. */
  wishHigh(entry: number): number {
    return this.#high[entry]!;
  }

  wishLow(entry: number): number {
    return this.#low[entry]!;
  }

  compareNames(a: number, b: number): number {
    const { nameStarts, nameLengths, objects } = this.#draft;
    const { keys } = objects;
    const aStart = nameStarts[a]!;
    const bStart = nameStarts[b]!;
    return compareBytes(keys, aStart, aStart + nameLengths[a]!, keys, bStart, bStart + nameLengths[b]!);
  }

  /**
   * Sorts `entries` in place. The native sort of doubles orders by the high half: a million names in one
   * directory take 0.15 s, against 1.9 s by comparison. What it leaves equal is compared.
   */
  sort(entries: Uint32Array): void {
    const count = entries.length;
    if (count < 2) return;
    if (count > LOCAL_LIMIT) {
      entries.sort(this.#compare);
      return;
    }
    if (this.#packed.length < count) {
      this.#packed = new Float64Array(2 * count);
      this.#copy = new Uint32Array(2 * count);
    }
    const packed = this.#packed.subarray(0, count);
    const copy = this.#copy;
    for (let i = 0; i < count; i++) {
      copy[i] = entries[i]!;
      packed[i] = this.#high[entries[i]!]! * LOCAL_LIMIT + i;
    }
    packed.sort();
    for (let i = 0; i < count; i++) entries[i] = copy[packed[i]! % LOCAL_LIMIT]!;
    for (let start = 0; start < count; ) {
      const high = this.#high[entries[start]!]!;
      let end = start + 1;
      while (end < count && this.#high[entries[end]!] === high) end++;
      if (end - start > 1) entries.subarray(start, end).sort(this.#compare);
      start = end;
    }
  }

  readonly #compare = (a: number, b: number): number =>
    this.#high[a]! - this.#high[b]! || this.#low[a]! - this.#low[b]! || this.compareNames(a, b);
}
