import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_BACKGROUND } from '../../wire/index.ts';
import { isDying } from './dying.ts';
import { keyOf } from './request-key.ts';

/**
 * READs of one uid that may wait for content. The kernel sends no more than MAX_BACKGROUND of them, whoever they are of,
 * and lets every further reader wait until one is answered: so a part of these is never given to one uid alone.
 */
const MOST_OF_A_UID = (MAX_BACKGROUND * 3) / 4;
const DYING_CHECK_MS = 200;

/** A READ that waits for content. */
export interface PendingRead {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** It is answered, or will not be. */
  readonly end: () => void;
}

/** Whose it is: `pid` is that of the thread that reads, 0 for what the kernel does by itself. */
export interface ReadHeader {
  readonly uniqueHigh: number;
  readonly uniqueLow: number;
  readonly pid: number;
  readonly uid: number;
}

/** The READs that wait for content, by the number that the kernel gave them. */
export class PendingReads {
  readonly #mostOfUid: number;
  readonly #isDying: (pid: number) => Promise<boolean>;
  readonly #reads = new Map<string, { readonly controller: AbortController; readonly pid: number }>();
  readonly #uids = new Map<number, number>();
  readonly #most: number;

  /** `most`: of all uids together; one that has none waiting may go beyond it by a quarter. */
  constructor(mostOfUid = MOST_OF_A_UID, dying = isDying, most = Number.POSITIVE_INFINITY) {
    this.#mostOfUid = mostOfUid;
    this.#most = most;
    this.#isDying = dying;
  }

  /** Undefined where the uid has as many waiting READs as one uid may have. */
  begin({ uniqueHigh, uniqueLow, pid, uid }: ReadHeader): PendingRead | undefined {
    const waiting = this.#uids.get(uid) ?? 0;
    if (waiting >= this.#mostOfUid) return undefined;
    if (this.#reads.size >= (waiting === 0 ? 1.25 * this.#most : this.#most)) return undefined;
    this.#uids.set(uid, waiting + 1);
    const key = keyOf(uniqueHigh, uniqueLow);
    const read = { controller: new AbortController(), pid };
    this.#reads.set(key, read);
    return {
      signal: read.controller.signal,
      end: () => {
        // The same one may have come again meanwhile.
        if (this.#reads.get(key) === read) this.#reads.delete(key);
        const left = (this.#uids.get(uid) ?? 0) - 1;
        if (left > 0) this.#uids.set(uid, left);
        else this.#uids.delete(uid);
      },
    };
  }

  /**
   * A caller that is dying is let go; any other goes on waiting for its bytes, since EINTR out of read(2)
   * on a regular file is an error that no program expects. The kernel says just once that a caller was
   * interrupted, perhaps by a signal before the one that kills: so from then on its state is watched.
   */
  async interrupt(uniqueHigh: number, uniqueLow: number): Promise<void> {
    const key = keyOf(uniqueHigh, uniqueLow);
    const read = this.#reads.get(key);
    while (read !== undefined && this.#reads.get(key) === read) {
      if (await this.#isDying(read.pid)) return read.controller.abort();
      await sleep(DYING_CHECK_MS);
    }
  }

  abort(): void {
    for (const { controller } of this.#reads.values()) controller.abort();
  }
}
