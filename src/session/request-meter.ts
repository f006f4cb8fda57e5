import { OPCODES } from '../wire/index.ts';
import { READ_ERRNOS, type ReadErrno } from './errno.ts';

/**
 * Upper bounds of the buckets of durations, in seconds: from the cost of one upcall to the longest wait of a
 * reader.
 */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

const KINDS: readonly string[] = [...OPCODES.map(({ name }) => name), 'malformed', 'unknown'];
const PLACE_OF_KIND: ReadonlyMap<string, number> = new Map(KINDS.map((kind, place) => [kind, place]));

/**
 * The columns of a row. There is a row for each kind of request, with the number of requests received, the
 * total duration of the requests answered (s), and the number of answered requests in each bucket.
 */
const COUNT = 0;
const SUM = 1;
const BUCKETS = 2;
const ROW = BUCKETS + DURATION_BOUNDS.length + 1;
/** The offset of this counter and of those below: after the rows. */
const ANSWERED_NATIVELY = ROW * KINDS.length;
const LOCAL_READS = ANSWERED_NATIVELY + 1;
const ERRORS = LOCAL_READS + 1;
const LENGTH = ERRORS + READ_ERRNOS.length;

const IOCTL = 'ioctl';

export interface RequestDurations {
  /** The total duration, in seconds. */
  readonly sum: number;
  /**
   * The number of requests in each bucket, not cumulative. There is one bucket more than bounds: the last one
   * is for longer durations.
   */
  readonly buckets: readonly number[];
}

/**
 * The counters of a session, in memory that another thread reads while the counters grow. Only one thread
 * writes, with plain stores. These suffice, because an element is eight aligned bytes, which no supported
 * processor tears, and because combinations of counters are only used for statistics. Timing and counting add
 * 0.5 us to the 15 us or so of a request on a busy machine (bench/request-meter.ts).
 */
export class RequestMeter {
  readonly #cells: Float64Array;

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(8 * LENGTH);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory);
  }

  /** Counts a request that arrived. */
  came(kind: string): void {
    this.#cells[ROW * placeOf(kind) + COUNT]! += 1;
  }

  /** Counts a request that was answered, or finished, `milliseconds` after it was read. */
  took(kind: string, milliseconds: number): void {
    const row = ROW * placeOf(kind);
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[bucket]!) bucket++;
    this.#cells[row + SUM]! += seconds;
    this.#cells[row + BUCKETS + bucket]! += 1;
  }

  /** Counts a READ that was answered from the local disk, without the main thread. */
  readLocally(): void {
    this.#cells[LOCAL_READS]! += 1;
  }

  /** Counts a READ that failed. */
  failed(errno: ReadErrno): void {
    this.#cells[ERRORS + READ_ERRNOS.indexOf(errno)]! += 1;
  }

  /** The number of IOCTLs that the native transport (native/channel.c) answered. */
  set answeredNatively(count: number) {
    this.#cells[ANSWERED_NATIVELY] = count;
  }

  get localReads(): number {
    return this.#cells[LOCAL_READS]!;
  }

  /** Received requests by opcode. */
  get opcodes(): Record<string, number> {
    const counts = KINDS.map((kind, place) => [kind, this.#cells[ROW * place + COUNT]!] as const);
    const found = Object.fromEntries(counts.filter(([, count]) => count > 0));
    const natively = this.#cells[ANSWERED_NATIVELY]!;
    return natively === 0 ? found : { ...found, [IOCTL]: natively + (found[IOCTL] ?? 0) };
  }

  get readErrors(): Record<string, number> {
    const counts = READ_ERRNOS.map((errno, at) => [errno, this.#cells[ERRORS + at]!] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** Durations by opcode, for opcodes with at least one answer. */
  get durations(): ReadonlyMap<string, RequestDurations> {
    const found = new Map<string, RequestDurations>();
    for (const [place, kind] of KINDS.entries()) {
      const row = this.#cells.subarray(ROW * place, ROW * (place + 1));
      const buckets = Array.from(row.subarray(BUCKETS));
      if (buckets.some((count) => count > 0)) found.set(kind, { sum: row[SUM]!, buckets });
    }
    return found;
  }
}

function placeOf(kind: string): number {
  return PLACE_OF_KIND.get(kind) ?? KINDS.length - 1;
}
