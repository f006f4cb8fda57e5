import type { Clock } from '../../base/clock.ts';
import { RETRIES } from '../../base/retry-policies.ts';
import type { FetchTarget } from '../fetch-target.ts';
import { hasContent } from '../prefetch-bound.ts';
import type { UnreadableObjects } from './unreadable-objects.ts';
import { withinTime } from './within-time.ts';

/** Reads one byte of an object, of the store itself. Rejects where it cannot be had, or when aborted. */
export type Probe = (path: string, signal: AbortSignal) => Promise<void>;

export interface ControlOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly target: Pick<FetchTarget, 'generation'>;
  readonly unreadable: Pick<UnreadableObjects, 'has'>;
  /** Whether the content of an entry was had before: such entries are asked for first. */
  readonly wasHad: (index: number) => boolean;
}

/** Objects that are asked for in the place of one that cannot be had. */
const OBJECTS = 3;

/**
 * Tells the fault of one object from that of the store: when an object cannot be had, others are asked for. They
 * are asked for after the failure, so that an outage that began in between is never taken for the object's fault.
 */
export class Control {
  readonly #options: ControlOptions;
  readonly #failed = new Set<number>();
  #running: Promise<boolean> | undefined;
  /** Begins when the one that runs has ended: for failures that are found meanwhile. */
  #next: Promise<boolean> | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** Whether the failure of this entry is its own: the store gives most of up to three others. */
  async isOwnFault(index: number, signal: AbortSignal): Promise<boolean> {
    this.#failed.add(index);
    if (this.#running === undefined) return this.#start(signal);
    this.#next ??= this.#running.then(
      () => this.#start(signal),
      () => this.#start(signal),
    );
    return this.#next;
  }

  #start(signal: AbortSignal): Promise<boolean> {
    this.#next = undefined;
    const running = this.#ask(signal).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
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
    // With nothing to compare with there is no telling: then the tree stays.
    return answers.filter((had) => had).length * 2 > answers.length;
  }

  /** Far apart, from a random place on: the objects of a directory may be odd together. */
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
      // Objects of which nothing is known may be as odd as the one that failed: only where there are no others.
      if (found.length > 0) return found;
    }
    return found;
  }
}

/** Visits every one of so many places, each far from the ones before. */
function strideOf(places: number): number {
  let stride = Math.max(1, Math.round(places * 0.618));
  while (commonDivisor(stride, places) !== 1) stride += 1;
  return stride;
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
