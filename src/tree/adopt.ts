import type { ListedObjects } from './listing.ts';

/** The current state of a listed object, as a request after the listing found it. */
export interface AdoptedObject {
  /** Without the quotes, one character a byte (Latin-1). */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  /** Whether the object must be restored before it can be read. Default: false. */
  readonly archived?: boolean;
}

/** Maps the path of a listed object to the object that replaces it, or to null if the object is gone. */
export type AdoptedObjects = ReadonlyMap<string, AdoptedObject | null>;

/**
 * Returns the listing with each adopted object in place of the listed one, and without the objects that are
 * gone. Ignores adopted paths that the listing does not have.
 */
export function adoptObjects(objects: ListedObjects, adopted: AdoptedObjects): ListedObjects {
  return adoptRows(objects, replacements(objects, adopted));
}

/** Does the same as `adoptObjects`, for objects that are given by their positions in the listing. */
export function adoptRows(
  objects: ListedObjects,
  replaced: ReadonlyMap<number, AdoptedObject | null>,
): ListedObjects {
  let etagRoom = objects.etagEnds[objects.count - 1] ?? 0;
  for (const object of replaced.values()) etagRoom += object?.etag.length ?? 0;
  const keys = new Uint8Array(objects.keyEnds[objects.count - 1] ?? 0);
  const keyEnds = new Uint32Array(objects.count);
  const sizes = new Float64Array(objects.count);
  const lastModified = new Float64Array(objects.count);
  const etags = new Uint8Array(etagRoom);
  const etagEnds = new Uint32Array(objects.count);
  const archived = new Uint8Array(objects.count);
  let count = 0;
  let keysUsed = 0;
  let etagsUsed = 0;
  for (let i = 0; i < objects.count; i++) {
    const now = replaced.get(i);
    if (now === null) continue;
    const key = keyOf(objects, i);
    const etag =
      now === undefined
        ? objects.etags.subarray(objects.etagEnds[i - 1] ?? 0, objects.etagEnds[i]!)
        : Buffer.from(now.etag, 'latin1');
    keys.set(key, keysUsed);
    etags.set(etag, etagsUsed);
    keysUsed += key.length;
    etagsUsed += etag.length;
    keyEnds[count] = keysUsed;
    etagEnds[count] = etagsUsed;
    sizes[count] = now?.size ?? objects.sizes[i]!;
    lastModified[count] = now?.lastModified ?? objects.lastModified[i]!;
    archived[count] = now === undefined ? objects.archived[i]! : Number(now.archived ?? false);
    count += 1;
  }
  return {
    count,
    keys: keys.subarray(0, keysUsed),
    keyEnds: keyEnds.subarray(0, count),
    sizes: sizes.subarray(0, count),
    lastModified: lastModified.subarray(0, count),
    etags: etags.subarray(0, etagsUsed),
    etagEnds: etagEnds.subarray(0, count),
    archived: archived.subarray(0, count),
  };
}

/**
 * Returns the adopted objects by their positions in the listing. The listing may have millions of keys, so
 * the function decodes only keys that are as long as the path of an adopted object.
 */
function replacements(
  objects: ListedObjects,
  adopted: AdoptedObjects,
): ReadonlyMap<number, AdoptedObject | null> {
  const byKey = new Map<string, AdoptedObject | null>();
  const lengths = new Set<number>();
  for (const [path, object] of adopted) {
    const key = Buffer.from(path);
    byKey.set(key.toString('latin1'), object);
    lengths.add(key.length);
  }
  const replaced = new Map<number, AdoptedObject | null>();
  for (let i = 0; i < objects.count; i++) {
    if (!lengths.has(objects.keyEnds[i]! - (objects.keyEnds[i - 1] ?? 0))) continue;
    const object = byKey.get(Buffer.from(keyOf(objects, i)).toString('latin1'));
    if (object !== undefined) replaced.set(i, object);
  }
  return replaced;
}

/** Returns the bytes of key `i`, as a view of the listing. */
export function keyOf({ keys, keyEnds }: ListedObjects, i: number): Uint8Array {
  return keys.subarray(keyEnds[i - 1] ?? 0, keyEnds[i]!);
}
