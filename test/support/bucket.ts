import { createHash } from 'node:crypto';

/** An object in a bucket. */
export interface BucketObject {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch; the store shows whole seconds, as S3 does. */
  readonly modified: number;
  body(): Buffer;
}

/** The source of MemoryS3's answers. Keys are latin1: one character a byte. */
export interface Bucket {
  get(key: string): BucketObject | undefined;
  /** The first keys that have this prefix and come after a key, in byte order, and whether there are more. */
  page(
    prefix: string,
    after: string | undefined,
    most: number,
  ): { readonly keys: readonly string[]; readonly more: boolean };
}

/** A bucket in memory that takes any key, byte for byte. */
export class MemoryBucket implements Bucket {
  readonly #objects = new Map<string, BucketObject>();
  #sorted: readonly string[] | undefined;

  keys(): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].sort();
    return this.#sorted;
  }

  put(key: string, body: string | Uint8Array): void {
    const bytes = Buffer.from(body as Uint8Array);
    const etag = createHash('md5').update(bytes).digest('hex');
    if (!this.#objects.has(key)) this.#sorted = undefined;
    this.#objects.set(key, { etag, size: bytes.length, modified: Date.now(), body: () => bytes });
  }

  get(key: string): BucketObject | undefined {
    return this.#objects.get(key);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined;
  }

  page(prefix: string, after: string | undefined, most: number): ReturnType<Bucket['page']> {
    const keys = this.keys().filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
    return { keys: keys.slice(0, most), more: keys.length > most };
  }
}
