import type { Clock } from '../../base/clock.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import type { Stop } from '../../store/stop.ts';
import type { FetchTarget } from '../fetch-target.ts';
import { hasContent } from '../prefetch-bound.ts';
import type { UnreadableObjects } from './unreadable-objects.ts';
import { withinTime } from './within-time.ts';

/** Reads one byte of an object, directly from the store. Rejects if it is unreadable, or when aborted. */
export type Probe = (path: string, signal: Stop) => Promise<void>;

export interface ControlOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly target: Pick<FetchTarget, 'generation'>;
  readonly unreadable: Pick<UnreadableObjects, 'has'>;
  /** Whether an entry's content was read before: such entries are probed first. */
  readonly wasHad: (index: number) => boolean;
}

/** The maximum number of objects that are probed when another one is unreadable. */
const OBJECTS = 3;

/**
 * Distinguishes an unreadable object from a failing store: when an object is unreadable, others are probed. The
 * probes start after the failure, so that an outage that began in between is never attributed to the object.
 */
export class Control {
  readonly #options: ControlOptions;
  readonly #failed = new Set<number>();
  #running: Promise<boolean> | undefined;
  /** The probes that start after the current ones, for failures that are found meanwhile. */
  #next: Promise<boolean> | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /**
   * Whether the failure concerns only this entry, because the store delivers most of up to three other
   * objects.
   */
  async isOwnFault(index: number, signal: Stop): Promise<boolean> {
    this.#failed.add(index);
    if (this.#running === undefined) return this.#start(signal);
    this.#next ??= this.#running.then(
      () => this.#start(signal),
      () => this.#start(signal),
    );
    return this.#next;
  }

  #start(signal: Stop): Promise<boolean> {
    this.#next = undefined;
    const running = this.#ask(signal).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #ask(signal: Stop): Promise<boolean> {
    const { probe, clock, target } = this.#options;
    const paths = this.#others().map((index) => target.generation.path(index));
    const answers = await Promise.all(
      paths.map(async (path) => {
        try {
          await withinTime(RETRIES.control.deadlineMs, clock, signal, (until) => probe(path, until));
          return true;
        } catch {
          return false;
        }
      }),
    );
    signal.throwIfAborted();
    // Without other objects to compare with, the fault is unknown: this returns false, so that the tree
    // stays.
    return answers.filter((had) => had).length * 2 > answers.length;
  }

  /**
   * Chooses the entries to probe, far apart and from a random start, because objects of one directory may
   * share a fault.
   */
  #others(): readonly number[] {
    const { target, unreadable, wasHad, clock } = this.#options;
    const { generation } = target;
    const { entries } = generation;
    const start = Math.floor(clock.random() * entries);
    const stride = strideOf(entries);
    const found: number[] = [];
    for (const fits of [wasHad, (index: number): boolean => !wasHad(index)]) {
      for (let step = 0; step < entries && found.length < OBJECTS; step++) {
        const index = (start + step * stride) % entries;
        const isFit = hasContent(generation, index) && !this.#failed.has(index) && fits(index);
        if (isFit && !unreadable.has(generation.version(index))) found.push(index);
      }
      // Objects that were not read before may have the same fault: use them only if there are no others.
      if (found.length > 0) return found;
    }
    return found;
  }
}

/** Returns a stride that visits every place once, each place far from the previous ones. */
function strideOf(places: number): number {
  let stride = Math.max(1, Math.round(places * 0.618));
  while (commonDivisor(stride, places) !== 1) stride += 1;
  return stride;
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
