import { createHash } from 'node:crypto';

/**
 * A bucket of any size that nothing stores: keys in byte order by construction, each object's bytes, size and ETag
 * computed from its number and revision. Object i is d<i/100>/f<i>.py, both numbers padded to eight digits.
 */
export class FakeBucket {
  readonly objects: number;
  readonly #prefix: string;
  readonly #bytes: number;
  /** MD5 digests of 16 bytes, those of revision 0 made once: a listing of a million keys then costs no hashing. */
  readonly #digests: Buffer;
  readonly #revisions = new Map<number, number>();

  /** `bytes`: of each object; 0: as few as tell them apart. */
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

  /** The number of the first object whose key is greater than `key`; `objects` if none is. */
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
