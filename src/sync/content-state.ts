import { ABSENT, ARRIVING, isFingerprintAt } from '../cache/verification.ts';
import { type Generation, NONE } from '../tree/index.ts';

/** The state of one entry's content. */
export const MARK = {
  /**
   * This thread does not know whether the content is local. It is to be fetched if the file is within the bound. It may
   * have a fingerprint: of the previous server, or of the session.
   */
  unknown: 0,
  /**
   * The content is on disk. Either it is verified, and then has a fingerprint, or it was recovered from an
   * earlier run, and is verified when first opened.
   */
  local: 1,
  /** The disk had no room for the content, so the file counts as past the bound. */
  noRoom: 2,
} as const;

/** The state of the content of each entry of one generation. 9 bytes an entry. */
export class ContentState {
  /**
   * For each entry, ABSENT, ARRIVING or a fingerprint. In a SharedArrayBuffer, because the session reads it
   * while this thread writes.
   */
  readonly fingerprints: BigUint64Array;
  readonly marks: Uint8Array;
  /** How often this thread has changed what is verified. */
  #changes = 0;

  constructor(entries: number) {
    this.fingerprints = new BigUint64Array(new SharedArrayBuffer(8 * entries));
    this.marks = new Uint8Array(entries);
  }

  get changes(): number {
    return this.#changes;
  }

  /**
   * Tells the session not to request this content, because it is being fetched. Holds until setAbsent() or
   * the arrival.
   */
  setArriving(index: number): void {
    Atomics.compareExchange(this.fingerprints, index, ABSENT, ARRIVING);
  }

  /** Tells the session that the fetch has ended. Has no effect on content that has arrived. */
  setAbsent(index: number): void {
    Atomics.compareExchange(this.fingerprints, index, ARRIVING, ABSENT);
  }

  setLocal(index: number, fingerprint: bigint): void {
    if (Atomics.exchange(this.fingerprints, index, fingerprint) !== fingerprint) this.#changes += 1;
    this.marks[index] = MARK.local;
  }

  /** Records that the content of an entry is no longer on disk. */
  forget(index: number): void {
    if (Atomics.exchange(this.fingerprints, index, ABSENT) !== ABSENT) this.#changes += 1;
    this.marks[index] = MARK.unknown;
  }

  /**
   * Copies the state of unchanged entries from the previous generation, unless they have a mark here. What is
   * arriving arrives there, and counts as absent here. `origin` is that of GenerationChanges. This is synchronous,
   * because it is called right before the swap. It is called again after the swap, for what changed meanwhile.
   * 1,000,000 entries take 20 ms.
   */
  carryOver(previous: ContentState, origin: Uint32Array): void {
    // Copies each fingerprint as a pair of 32-bit words, because reading a BigUint64Array allocates an object
    // for each element.
    const from = new Uint32Array(previous.fingerprints.buffer);
    const to = new Uint32Array(this.fingerprints.buffer);
    for (let index = 0; index < origin.length; index++) {
      const old = origin[index]!;
      if (old === NONE || this.marks[index] !== MARK.unknown) continue;
      const mark = previous.marks[old]!;
      // There may be a fingerprint without a mark: of the previous server, or of the session.
      if (isFingerprintAt(from, old)) {
        to[2 * index] = from[2 * old]!;
        to[2 * index + 1] = from[2 * old + 1]!;
      }
      this.marks[index] = mark;
    }
    this.#changes += 1;
  }

  /** Records that a read made a version local, unless the version has left the tree meanwhile. */
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
