import type { Stop } from '../store/stop.ts';

/** The uid of the READ that waits for content; undefined if the driver does not provide it. */
export type ReaderUid = number | undefined;

/** Bounds on concurrent work for all readers together. */
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
  /** Requests in progress. */
  underWay: number;
}

/** Shares of the limits that are reserved for a uid without requests in progress. */
const RESERVED_REQUESTS = 1 / 16;
const RESERVED_BYTES = 1 / 8;

/**
 * Schedules readers' requests fairly by uid, so that a user with a thousand concurrent reads does not block
 * the others. A uid may use all of the limits except a small reserve, which is for uids without requests in
 * progress. If several uids wait, a uid without requests in progress gets its turn after at most one request
 * of every other uid. Requests of one uid run in order of arrival.
 */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #shared: TurnLimits;
  /** The uids with waiting or running requests, ordered by their last turn, the oldest first. */
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

  /** The number of requests in progress. */
  get underWay(): number {
    return this.#requests;
  }

  /**
   * Resolves when a request for this many bytes may start. The returned function ends the request's turn;
   * further calls of it do nothing. A request larger than the limit runs alone. Rejects with the signal's
   * reason.
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
      // If the first request does not fit, the smaller ones behind it wait, too: otherwise they could starve
      // it.
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
