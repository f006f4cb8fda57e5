import { SingleFlight } from '../../cache/single-flight.ts';
import { isDying } from '../dying.ts';
import type { Refusal } from '../errno.ts';
import type { VersionAnswer } from '../messages.ts';
import { PendingReads, type ReadHeader } from '../pending-reads.ts';
import type { FindVersion } from '../serve-session.ts';
import type { VersionTable } from './version-table.ts';

/** Limits on the number of processes that may wait for versions. */
export interface WaitingBounds {
  readonly ofAUid: number;
  /** The limit for all uids together; a uid with no waiting lookup may exceed it by a quarter. */
  readonly inAll: number;
}

export interface VersionLookup {
  /** Resolves with undefined once the version is loaded, or with a refusal. */
  readonly result: Promise<Refusal | undefined>;
}

/**
 * Tracks the readers that wait for versions (trees of releases) which are not loaded, loads these versions,
 * and answers the readers.
 */
export class VersionLookups {
  readonly #table: VersionTable;
  readonly #find: FindVersion;
  readonly #waiting: PendingReads;
  /** The source is asked once for a version, however many readers wait for it. */
  readonly #flights = new SingleFlight<VersionAnswer>();

  constructor(table: VersionTable, find: FindVersion, { ofAUid, inAll }: WaitingBounds) {
    this.#waiting = new PendingReads(ofAUid, isDying, inAll);
    this.#table = table;
    this.#find = find;
  }

  /** Begins a lookup. Returns undefined if the limit of waiting readers is reached. */
  begin(request: ReadHeader, id: string): VersionLookup | undefined {
    const pending = this.#waiting.begin(request);
    if (pending === undefined) return undefined;
    return { result: this.#wait(id, request.uid, pending.signal).finally(pending.end) };
  }

  interrupt(uniqueHigh: number, uniqueLow: number): Promise<void> {
    return this.#waiting.interrupt(uniqueHigh, uniqueLow);
  }

  abort(): void {
    this.#waiting.abort();
  }

  async #wait(id: string, uid: number, signal: AbortSignal): Promise<Refusal | undefined> {
    let answer: VersionAnswer;
    try {
      answer = await this.#flights.run(id, { signal, urgent: true }, (flight) =>
        this.#find(id, uid, flight.signal),
      );
    } catch {
      return signal.aborted ? 'interrupted' : 'unavailable';
    }
    switch (answer.kind) {
      case 'found':
        this.#table.add(answer.version, answer.changedAt);
        return undefined;
      case 'absent':
        this.#table.forget(id);
        return 'no-entry';
      case 'unavailable':
        return 'unavailable';
      default:
        return answer satisfies never;
    }
  }
}
