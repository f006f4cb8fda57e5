import type { ListedObjects } from '../../src/tree/listing.ts';

/** One object as a test writes it down. Omitted fields get a plain value. */
export interface TestObject {
  /** The key below the prefix: text, or raw bytes where it is not text. */
  readonly key: string | Uint8Array;
  readonly size?: number;
  /** One character a byte. */
  readonly etag?: string;
  /** Milliseconds since the epoch. */
  readonly lastModified?: number;
  readonly archived?: boolean;
}

export const PLAIN_ETAG = '9e107d9d372bb6826bd81d3542a419d6';

/** The columns of a listing of these objects, in this order. */
export function listingOf(objects: readonly TestObject[]): ListedObjects {
  const keys = objects.map(({ key }) => keyBytes(key));
  const etags = objects.map(({ etag }) => Buffer.from(etag ?? PLAIN_ETAG, 'latin1'));
  return {
    count: objects.length,
    keys: Buffer.concat(keys),
    keyEnds: ends(keys),
    sizes: Float64Array.from(objects, sizeOf),
    lastModified: Float64Array.from(objects, ({ lastModified }) => lastModified ?? 0),
    etags: Buffer.concat(etags),
    etagEnds: ends(etags),
    archived: Uint8Array.from(objects, ({ archived }) => (archived === true ? 1 : 0)),
  };
}

/** Without a size, a key that ends in a slash is a directory's marker and anything else has one byte. */
export function sizeOf({ key, size }: TestObject): number {
  return size ?? (keyBytes(key).at(-1) === 0x2f ? 0 : 1);
}

export function keyBytes(key: string | Uint8Array): Buffer {
  return Buffer.from(key as Uint8Array);
}

function ends(parts: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(parts, (part) => {
    end += part.length;
    return end;
  });
}
