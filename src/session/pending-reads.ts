import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_BACKGROUND } from '../wire/index.ts';
import { isDying } from './dying.ts';
import { keyOf } from './request-key.ts';

/**
 * The maximum number of READs of one uid that may wait. The kernel sends at most MAX_BACKGROUND READs for all
 * users together, and then delays every further READ until one is answered. So one uid must not get all of
 * them.
 */
const MOST_OF_A_UID = (MAX_BACKGROUND * 3) / 4;
const DYING_CHECK_MS = 200;

/** A READ that waits for content. */
export interface PendingRead {
  /** Aborted when the reader is dying, or when the session has ended. */
  readonly signal: AbortSignal;
  /** Call it when the READ was answered, or when it will not be answered. */
  readonly end: () => void;
}

/** The header of a READ. `pid` is the thread that reads; it is 0 if the kernel reads by itself. */
export interface ReadHeader {
  readonly uniqueHigh: number;
  readonly uniqueLow: number;
  readonly pid: number;
  readonly uid: number;
}

interface Waiting {
  readonly controller: AbortController;
  readonly pid: number;
  /** How often the kernel has sent this READ, without the copies that have ended. */
  copies: number;
}

/**
 * The READs that wait for content, by the unique number that the kernel gave them. The kernel may send a READ
 * again that already waits here (FUSE_NOTIFY_RESEND). The copies count as one READ, and end separately,
 * because the kernel accepts only one of their answers, and this session cannot know which one. No other
 * request ever has the same unique number, so the kernel refuses the other answers (ENOENT).
 */
export class PendingReads {
  readonly #mostOfUid: number;
  readonly #isDying: (pid: number) => Promise<boolean>;
  readonly #reads = new Map<string, Waiting>();
  readonly #uids = new Map<number, number>();
  readonly #most: number;

  /** `most`: the limit for all uids together; a uid that has no waiting READ may exceed it by a quarter. */
  constructor(mostOfUid = MOST_OF_A_UID, dying = isDying, most = Number.POSITIVE_INFINITY) {
    this.#mostOfUid = mostOfUid;
    this.#most = most;
    this.#isDying = dying;
  }

  /** Adds a READ. Returns undefined if the limit for its uid, or for all uids together, is reached. */
  begin({ uniqueHigh, uniqueLow, pid, uid }: ReadHeader): PendingRead | undefined {
    const key = keyOf(uniqueHigh, uniqueLow);
    const read = this.#reads.get(key) ?? this.#add(key, pid, uid);
    if (read === undefined) return undefined;
    read.copies += 1;
    return {
      signal: read.controller.signal,
      end: () => {
        read.copies -= 1;
        if (read.copies > 0) return;
        this.#reads.delete(key);
        const left = (this.#uids.get(uid) ?? 0) - 1;
        if (left > 0) this.#uids.set(uid, left);
        else this.#uids.delete(uid);
      },
    };
  }

  #add(key: string, pid: number, uid: number): Waiting | undefined {
    const waiting = this.#uids.get(uid) ?? 0;
    if (waiting >= this.#mostOfUid) return undefined;
    if (this.#reads.size >= (waiting === 0 ? 1.25 * this.#most : this.#most)) return undefined;
    this.#uids.set(uid, waiting + 1);
    const read = { controller: new AbortController(), pid, copies: 0 };
    this.#reads.set(key, read);
    return read;
  }

  /**
   * Aborts the READ if its caller is dying. Any other caller continues to wait for its bytes, because no
   * program expects EINTR from read(2) on a regular file. The kernel reports only the first signal to a
   * caller, and a later signal may kill the caller. So after the first report, this method polls the caller's
   * state until the READ ends.
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
