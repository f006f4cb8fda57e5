import { createHash, hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { orAborted } from '../../../base/waiting.ts';
import type { ByteRange } from '../../../cache/chunks.ts';
import type { Spool } from '../../../cache/spool.ts';
import type { Stop } from '../../../store/stop.ts';
import type { KeptWholes } from './kept-wholes.ts';
import { corruptContent } from './pack-error.ts';
import type { ReadPack } from './segment-fetch.ts';
import type { PackedContent } from './segments.ts';

/** A content that is so large that the cache keeps it in parts. */
export interface LargeContent extends PackedContent {
  readonly sha256: string;
  /** The path of one of the files that have this content. */
  readonly path: string;
}

/** The maximum number of digests of parts that are remembered: enough for 4 TiB of content. */
const MOST_PARTS = 524_288;
/** The maximum number of contents that are read from beginning to end at a time. */
const MOST_AT_ONCE = 2;

/**
 * Verifies the parts of large contents. The manifest has a digest of the whole content, but none of a part.
 * So this class reads the whole content once, and remembers the digest of each part. It compares each part
 * with that digest before it returns the part. The whole content stays on the disk until its parts were
 * requested. If the disk has no room for it, each part is fetched once more.
 */
export class LargeContents {
  readonly #read: ReadPack;
  readonly #partBytes: number;
  readonly #wholes: KeptWholes;
  readonly #known = new LRUCache<string, readonly Buffer[]>({
    maxSize: MOST_PARTS,
    sizeCalculation: (digests) => digests.length,
  });
  readonly #underWay = new Map<string, Promise<readonly Buffer[]>>();

  constructor(read: ReadPack, partBytes: number, wholes: KeptWholes) {
    this.#read = read;
    this.#wholes = wholes;
    this.#partBytes = partBytes;
  }

  /**
   * Returns a verified part. The first call reads the whole content. That continues even when no reader waits
   * any more, so that a reader that retries after its deadline finds it done. Rejects with the store's error,
   * or with `corrupt` if the bytes are not those that the manifest names.
   *
   * @param fetch fetches this part from the store; called if the disk does not have the part
   */
  async part(
    content: LargeContent,
    range: ByteRange,
    fetch: () => Promise<Uint8Array>,
    signal: Stop,
  ): Promise<Uint8Array> {
    const digest = await this.#digestOfPart(content, range.start, signal);
    const isRight = (bytes: Uint8Array): boolean => digest.equals(hash('sha256', bytes, 'buffer'));
    const kept = await this.#wholes.take(keyOf(content), range);
    if (kept !== undefined && isRight(kept)) return kept;
    const bytes = await fetch();
    if (isRight(bytes)) return bytes;
    const { pack, path } = content;
    throw corruptContent(pack, path, `those from ${range.start} to ${range.end} are not what came before`);
  }

  async #digestOfPart(content: LargeContent, start: number, signal: Stop): Promise<Buffer> {
    const digests = this.#known.get(keyOf(content)) ?? (await orAborted(this.#digests(content), signal));
    const digest = digests[start / this.#partBytes];
    if (digest === undefined) throw new Error(`${content.path} has no part at ${start}`);
    return digest;
  }

  async #digests(content: LargeContent): Promise<readonly Buffer[]> {
    const key = keyOf(content);
    for (;;) {
      const underWay = this.#underWay.get(key);
      if (underWay !== undefined) return underWay;
      if (this.#underWay.size < MOST_AT_ONCE) break;
      await Promise.race(this.#underWay.values()).catch(() => undefined);
    }
    const running = this.#goThrough(content).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, running);
    return running;
  }

  async #goThrough(content: LargeContent): Promise<readonly Buffer[]> {
    const { size } = content;
    const spool = this.#wholes.begin(size);
    try {
      const digests = await this.#digestsOf(content, spool);
      this.#known.set(keyOf(content), digests);
      if (spool !== undefined) this.#wholes.keep(keyOf(content), spool, size, this.#partBytes);
      return digests;
    } catch (error) {
      if (spool !== undefined) this.#wholes.abandon(spool, size);
      throw error;
    }
  }

  async #digestsOf(content: LargeContent, spool: Spool | undefined): Promise<readonly Buffer[]> {
    const { pack, offset, size, sha256, path } = content;
    const whole = createHash('sha256');
    const digests: Buffer[] = [];
    let part = createHash('sha256');
    let left = this.#partBytes;
    const { signal } = new AbortController();
    for await (const bytes of this.#read(pack, { start: offset, end: offset + size }, signal)) {
      await spool?.write(bytes);
      whole.update(bytes);
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + left);
        part.update(piece);
        at += piece.length;
        left -= piece.length;
        if (left > 0) continue;
        digests.push(part.digest());
        part = createHash('sha256');
        left = this.#partBytes;
      }
    }
    if (left < this.#partBytes) digests.push(part.digest());
    const found = whole.digest('hex');
    if (found !== sha256) throw corruptContent(pack, path, `their SHA-256 is ${found}`);
    return digests;
  }
}

/**
 * Returns a key that contains the size, too, because a manifest may give two sizes to one SHA-256. At most
 * one of the sizes is right, and its digests must not verify parts of the other content.
 */
function keyOf({ sha256, size }: LargeContent): string {
  return `${sha256} ${size}`;
}
