import type { Stop } from '../store/stop.ts';

/** Who waits for content: the uid of the reader's READ; undefined where a driver does not tell it. */
export type ReaderUid = number | undefined;

/** What may be under way at a time, for all readers together. */
export interface TurnLimits {
  readonly requests: number;
  readonly bytes: number;
}

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

/** The readers of one uid. */
interface Party {
  readonly waiting: Waiting[];
  /** Requests. */
  underWay: number;
}

/** Shares of the limits that are kept for a uid with nothing under way. */
const RESERVED_REQUESTS = 1 / 16;
const RESERVED_BYTES = 1 / 8;

/**
 * Lets readers' requests go by turns of their uids, so that one user who reads a thousand things at once does not keep
 * everybody else waiting for them. A uid may have all that the limits allow but for a small reserve, which goes at once
 * to one that has nothing under way. Where several wait, a uid that has nothing under way has its turn after at most one
 * of every other; those of one uid go in the order in which they came.
 */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #shared: TurnLimits;
  /** The uids with requests that wait or are under way, in the order of their last turns, the longest ago first. */
  readonly #parties = new Map<ReaderUid, Party>();
  #requests = 0;
  #bytes = 0;

  constructor(limits: TurnLimits) {
    const { requests, bytes } = limits;
    this.#limits = limits;
    this.#shared = {
      requests: Math.max(1, requests - Math.ceil(requests * RESERVED_REQUESTS)),
      bytes: bytes * (1 - RESERVED_BYTES),
    };
  }

  /** Requests under way. */
  get underWay(): number {
    return this.#requests;
  }

  /**
   * Resolves when a request for so many bytes may go; what it resolves with ends its turn, and may be called again. More
   * bytes than the limit go alone. Rejects with the signal's reason.
   */
  take(reader: ReaderUid, bytes: number, signal: Stop): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const party = this.#partyOf(reader);
      const leave = (): void => {
        party.waiting.splice(party.waiting.indexOf(waiting), 1);
        this.#forget(reader, party);
        reject(signal.reason);
        this.#admit();
      };
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        let isOver = false;
        resolve(() => {
          if (isOver) return;
          isOver = true;
          this.#requests -= 1;
          this.#bytes -= bytes;
          party.underWay -= 1;
          this.#forget(reader, party);
          this.#admit();
        });
      };
      const waiting: Waiting = { bytes, go };
      party.waiting.push(waiting);
      signal.addEventListener('abort', leave);
      this.#admit();
    });
  }

  #partyOf(reader: ReaderUid): Party {
    const known = this.#parties.get(reader);
    if (known !== undefined) return known;
    const party = { waiting: [], underWay: 0 };
    this.#parties.set(reader, party);
    return party;
  }

  #forget(reader: ReaderUid, { waiting, underWay }: Party): void {
    if (waiting.length === 0 && underWay === 0) this.#parties.delete(reader);
  }

  #admit(): void {
    while (this.#admitOne());
  }

  #admitOne(): boolean {
    let isFirst = true;
    for (const [reader, party] of this.#parties) {
      const [head] = party.waiting;
      if (head === undefined) continue;
      // What does not fit is waited for: others that are smaller would keep it waiting for good.
      const fits = isFirst ? this.#fits(head, this.#shared) : false;
      isFirst = false;
      if (!fits && !(party.underWay === 0 && this.#fits(head, this.#limits))) continue;
      party.waiting.shift();
      party.underWay += 1;
      this.#requests += 1;
      this.#bytes += head.bytes;
      this.#parties.delete(reader);
      this.#parties.set(reader, party);
      head.go();
      return true;
    }
    return false;
  }

  #fits({ bytes }: Waiting, limits: TurnLimits): boolean {
    if (this.#requests === 0) return true;
    return this.#requests < limits.requests && this.#bytes + bytes <= limits.bytes;
  }
}
