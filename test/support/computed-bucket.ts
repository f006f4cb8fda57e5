import { createHash } from 'node:crypto';
import type { Bucket, BucketObject } from './bucket.ts';

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5);

/**
 * A bucket of any size that needs no storage: keys in byte order by construction, each object's bytes, size and ETag
 * computed from its number and revision. Object i is d<i/100>/f<i>.py, both numbers padded to eight digits.
 */
export class ComputedBucket implements Bucket {
  readonly objects: number;
  readonly #prefix: string;
  readonly #bytes: number;
  /** MD5 digests of 16 bytes, computed once for revision 0: a listing of a million keys then needs no hashing. */
  readonly #digests: Buffer;
  readonly #revisions = new Map<number, number>();

  /** `bytes`: the size of each object; 0: the fewest bytes that make objects different. */
  constructor(objects: number, prefix: string, bytes = 0) {
    this.objects = objects;
    this.#prefix = prefix;
    this.#bytes = bytes;
    this.#digests = Buffer.alloc(objects * 16);
    for (let index = 0; index < objects; index += 1) this.#hash(index);
  }

  /** Gives object `index` new bytes of the same length. */
  revise(index: number): void {
    this.#revisions.set(index, (this.#revisions.get(index) ?? 0) + 1);
    this.#hash(index);
  }

  get(key: string): BucketObject | undefined {
    const index = this.find(key);
    if (index === undefined) return undefined;
    const body = this.body(index);
    return { etag: this.etag(index), size: body.length, modified: MODIFIED, body: () => Buffer.from(body) };
  }

  page(prefix: string, after: string | undefined, most: number): ReturnType<Bucket['page']> {
    // A prefix longer than the bucket's own matches no key, unless it names one of the bucket's directories.
    let index = after === undefined || after < prefix ? this.#first(prefix) : this.firstAfter(after);
    const keys: string[] = [];
    for (; index < this.objects && this.key(index).startsWith(prefix); index += 1) {
      if (keys.length === most) return { keys, more: true };
      keys.push(this.key(index));
    }
    return { keys, more: false };
  }

  key(index: number): string {
    return `${this.#prefix}${this.path(index)}`;
  }

  path(index: number): string {
    return `d${padded(Math.floor(index / 100))}/f${padded(index)}.py`;
  }

  body(index: number): string {
    const line = `# object ${padded(index)} revision ${padded(this.#revisions.get(index) ?? 0)}\n`;
    return this.#bytes === 0 ? line : line.repeat(Math.ceil(this.#bytes / line.length)).slice(0, this.#bytes);
  }

  etag(index: number): string {
    return this.#digests.toString('hex', index * 16, index * 16 + 16);
  }

  /** The number of the object with this key, or undefined. */
  find(key: string): number | undefined {
    const index = Number(/f(\d{8})\.py$/.exec(key)?.[1] ?? -1);
    return index >= 0 && index < this.objects && this.key(index) === key ? index : undefined;
  }

  /** The number of the first object whose key is greater than `key`; `objects` if there is none. */
  firstAfter(key: string): number {
    let low = 0;
    let high = this.objects;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.key(middle) > key) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #first(prefix: string): number {
    const index = prefix === '' ? 0 : this.firstAfter(prefix);
    // A key that equals the prefix is below it too.
    return index > 0 && this.key(index - 1) === prefix ? index - 1 : index;
  }

  #hash(index: number): void {
    createHash('md5')
      .update(this.body(index))
      .digest()
      .copy(this.#digests, index * 16);
  }
}

function padded(number: number): string {
  return String(number).padStart(8, '0');
}
