import { ABSENT, ARRIVING } from '../cache/verification.ts';
import { type Generation, NONE } from '../tree/index.ts';

/** The state of one entry's content. */
export const MARK = {
  /** Unknown: to be fetched, if within the bound. */
  unknown: 0,
  /** A blob is on disk: verified (then there is a fingerprint), or recovered, and verified when first opened. */
  local: 1,
  /** The disk had no room for it: it counts as past the bound. */
  noRoom: 2,
} as const;

/** The state of the content of each entry of one generation. 9 bytes an entry. */
export class ContentState {
  /** In a SharedArrayBuffer: the session reads it while this thread writes. ABSENT, ARRIVING or a fingerprint. */
  readonly fingerprints: BigUint64Array;
  readonly marks: Uint8Array;

  constructor(entries: number) {
    this.fingerprints = new BigUint64Array(new SharedArrayBuffer(8 * entries));
    this.marks = new Uint8Array(entries);
  }

  /** Tells the session not to request this content: it is being fetched. Holds until setAbsent() or the arrival. */
  setArriving(index: number): void {
    Atomics.compareExchange(this.fingerprints, index, ABSENT, ARRIVING);
  }

  /** The fetch failed. No effect on content that has arrived. */
  setAbsent(index: number): void {
    Atomics.compareExchange(this.fingerprints, index, ARRIVING, ABSENT);
  }

  setLocal(index: number, fingerprint: bigint): void {
    Atomics.store(this.fingerprints, index, fingerprint);
    this.marks[index] = MARK.local;
  }

  /** Its content is no longer on disk. */
  forget(index: number): void {
    Atomics.store(this.fingerprints, index, ABSENT);
    this.marks[index] = MARK.unknown;
  }

  /**
   * Copies the state of unchanged entries, by `origin` of GenerationChanges, unless their state is known here
   * already. Synchronous: called right before the swap, and again after it for what changed meanwhile. 1,000,000
   * entries take 20 ms.
   */
  carryOver(previous: ContentState, origin: Uint32Array): void {
    // As pairs of 32-bit words: reading a BigUint64Array allocates an object for each element.
    const from = new Uint32Array(previous.fingerprints.buffer);
    const to = new Uint32Array(this.fingerprints.buffer);
    for (let index = 0; index < origin.length; index++) {
      const old = origin[index]!;
      if (old === NONE || this.marks[index] !== MARK.unknown) continue;
      const mark = previous.marks[old]!;
      if (mark === MARK.unknown) continue;
      to[2 * index] = from[2 * old]!;
      to[2 * index + 1] = from[2 * old + 1]!;
      this.marks[index] = mark;
    }
  }

  /** Records a blob that a read made local; the version may have left the tree meanwhile. */
  note(
    generation: Generation,
    version: { readonly name: string; readonly path: string },
    fingerprint: bigint,
  ): void {
    const index = generation.find(version.path);
    if (index > 0 && !generation.isDirectory(index) && generation.versionName(index) === version.name) {
      this.setLocal(index, fingerprint);
    }
  }
}
