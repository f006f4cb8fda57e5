import type { Clock } from '../../../base/clock.ts';
import { type Alarm, startAlarm } from '../../../base/waiting.ts';
import type { ByteRange } from '../../../cache/chunks.ts';
import type { Spool } from '../../../cache/spool.ts';

export interface KeptWholesOptions {
  /** Undefined: the disk takes none. */
  readonly openSpool: () => Spool | undefined;
  /** Bytes of all of them together. */
  readonly limitBytes: number;
  readonly clock: Pick<Clock, 'alarm'>;
}

/** A content that is on the disk, until each of its parts was asked for. */
interface Kept {
  readonly spool: Spool;
  readonly size: number;
  /** Where the parts begin that nobody has had. */
  readonly left: Set<number>;
  alarm: Alarm | undefined;
}

/** A reader who goes through a file asks for the next part long before; another one may never come. */
const IDLE_MS = 60_000;

/**
 * Large contents on the disk, from when they are read to be verified until their parts are in the cache: without them, each
 * byte would be downloaded twice.
 */
export class KeptWholes {
  readonly #options: KeptWholesOptions;
  /** In the order in which they were used last. */
  readonly #kept = new Map<string, Kept>();
  /** Of those that are being written, too. */
  #bytes = 0;
  #isClosed = false;

  constructor(options: KeptWholesOptions) {
    this.#options = options;
  }

  /** Where to write a content of this size. Undefined: it is too large, or the disk takes nothing. */
  begin(size: number): Spool | undefined {
    const { limitBytes, openSpool } = this.#options;
    if (this.#isClosed) return undefined;
    for (const key of this.#kept.keys()) {
      if (this.#bytes + size <= limitBytes) break;
      this.#drop(key);
    }
    const spool = this.#bytes + size <= limitBytes ? openSpool() : undefined;
    if (spool !== undefined) this.#bytes += size;
    return spool;
  }

  /** The content in it is not the right one, or did not come. */
  abandon(spool: Spool, size: number): void {
    this.#bytes -= size;
    void spool.close();
  }

  /** All of the content is in it, and verified. */
  keep(key: string, spool: Spool, size: number, partBytes: number): void {
    this.#drop(key);
    if (this.#isClosed) {
      this.abandon(spool, size);
      return;
    }
    const left = new Set<number>();
    for (let start = 0; start < size; start += partBytes) left.add(start);
    const kept: Kept = { spool, size, left, alarm: undefined };
    this.#kept.set(key, kept);
    this.#used(key, kept);
  }

  /** Bytes as the disk has them; undefined: it does not. */
  async take(key: string, range: ByteRange): Promise<Uint8Array | undefined> {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const bytes = await kept.spool.read(range);
    if (this.#kept.get(key) !== kept) return bytes;
    kept.left.delete(range.start);
    if (bytes === undefined || kept.left.size === 0) this.#drop(key);
    else this.#used(key, kept);
    return bytes;
  }

  close(): void {
    this.#isClosed = true;
    for (const key of this.#kept.keys()) this.#drop(key);
  }

  #used(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.alarm?.stop();
    kept.alarm = startAlarm(this.#options.clock, IDLE_MS, () => {
      if (this.#kept.get(key) === kept) this.#drop(key);
    });
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    kept.alarm?.stop();
    this.abandon(kept.spool, kept.size);
  }
}
