import type { Clock } from '../../../base/clock.ts';
import { type Alarm, startAlarm } from '../../../base/waiting.ts';
import type { ByteRange } from '../../../cache/chunks.ts';
import type { Spool } from '../../../cache/spool.ts';

export interface KeptWholesOptions {
  /** Opens a spool, an unnamed file for one content. Returns undefined if the disk cannot take one. */
  readonly openSpool: () => Spool | undefined;
  /** The maximum number of bytes of all spools together. */
  readonly limitBytes: number;
  readonly clock: Pick<Clock, 'alarm'>;
}

/** A content on the disk, until each of its parts was requested. */
interface Kept {
  readonly spool: Spool;
  readonly size: number;
  /** Start offsets of the parts that were not taken yet. */
  readonly left: Set<number>;
  alarm: Alarm | undefined;
}

/**
 * A content is dropped if no part of it was requested for this long. A sequential reader requests the next
 * part much sooner, and any other reader may never request one.
 */
const IDLE_MS = 60_000;

/**
 * Keeps large contents on the disk, from the moment when they are read for verification until their parts are
 * in the cache. Otherwise each byte would be downloaded twice.
 */
export class KeptWholes {
  readonly #options: KeptWholesOptions;
  /** By key. The content that was used least recently comes first. */
  readonly #kept = new Map<string, Kept>();
  /** The bytes of all spools, including those that are being written. */
  #bytes = 0;
  #isClosed = false;

  constructor(options: KeptWholesOptions) {
    this.#options = options;
  }

  /**
   * Returns a spool for a content of this size. To make room, drops the contents that were used least
   * recently. Returns undefined if there is still no room, or if the disk cannot take a spool.
   */
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

  /**
   * Closes a spool that the caller of {@link begin} gives up, for instance because its content is wrong or
   * incomplete. `size` is the size that was given to `begin`; it no longer counts against the limit.
   */
  abandon(spool: Spool, size: number): void {
    this.#bytes -= size;
    void spool.close();
  }

  /** Keeps a spool that has the whole content. The caller has verified it. */
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

  /**
   * Returns a part of a kept content as the disk has it, so the caller must verify it. Returns undefined if
   * the content is not kept, or if the disk cannot return the part. Drops the content in the second case, and
   * once each of its parts was taken.
   */
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
