import { SingleFlight } from '../../cache/single-flight.ts';
import type { Refusal } from '../errno.ts';
import { isDying } from '../kernel/dying.ts';
import { PendingReads, type ReadHeader } from '../kernel/pending-reads.ts';
import type { VersionAnswer } from '../messages.ts';
import type { FindVersion } from '../serve-session.ts';
import type { VersionTable } from './version-table.ts';

/** Processes that may wait for versions. */
export interface WaitingBounds {
  readonly ofAUid: number;
  /** Of all uids; one that has none waiting may go beyond it by a quarter. */
  readonly inAll: number;
}

export interface VersionLookup {
  /** Undefined: the version is in the table. */
  readonly result: Promise<Refusal | undefined>;
}

/** Who waits for versions that are not here, and what they are told. */
export class VersionLookups {
  readonly #table: VersionTable;
  readonly #find: FindVersion;
  readonly #waiting: PendingReads;
  /** However many wait for one version, it is asked for once. */
  readonly #flights = new SingleFlight<VersionAnswer>();

  constructor(table: VersionTable, find: FindVersion, { ofAUid, inAll }: WaitingBounds) {
    this.#waiting = new PendingReads(ofAUid, isDying, inAll);
    this.#table = table;
    this.#find = find;
  }

  /** Undefined where as many wait as may. */
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
