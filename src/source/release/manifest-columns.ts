import { markDigest } from '../../base/content-digest.ts';
import type { Manifest, ReleasedFile } from '../../release/index.ts';
import type { ListedObjects } from '../../tree/index.ts';

const DIGEST_BYTES = 32;
const MARKED_BYTES = markDigest('0'.repeat(2 * DIGEST_BYTES)).length;
/** No deploy of dagmount writes a content that begins later in its pack: packs of many contents have at most 32 MiB. */
export const MOST_OFFSET = 2 ** 32 - 1;

/** The first file at an offset beyond any pack of many contents; undefined if there is none. */
export function findFarOff({ files }: Manifest): ReleasedFile | undefined {
  return files.find(({ place }) => place !== undefined && place.offset > MOST_OFFSET);
}

/**
 * A manifest as columns of a listing; contents are identified by their SHA-256.
 *
 * @param created milliseconds since the epoch: the date of every file
 */
export function columnsOf({ files }: Manifest, created: number): ListedObjects {
  const count = files.length;
  const keys = files.map(({ path }) => Buffer.from(path));
  const keyEnds = new Uint32Array(count);
  const etags = new Uint8Array(count * MARKED_BYTES);
  const marks = Buffer.from(etags.buffer);
  const packNumbers = new Map<string, number>();
  const packOf = new Uint32Array(count);
  const offsets = new Uint32Array(count);
  let end = 0;
  files.forEach(({ sha256, place }, i) => {
    end += keys[i]!.length;
    keyEnds[i] = end;
    marks.write(markDigest(sha256), i * MARKED_BYTES, 'latin1');
    if (place === undefined) return;
    const number = packNumbers.get(place.pack) ?? packNumbers.size;
    packNumbers.set(place.pack, number);
    packOf[i] = number;
    offsets[i] = place.offset;
  });
  // A tree of empty files has one pack too, to which each slot points.
  const packs = Buffer.from([...packNumbers.keys()].join('') || '0'.repeat(2 * DIGEST_BYTES), 'hex');
  return {
    count,
    keys: Buffer.concat(keys),
    keyEnds,
    sizes: Float64Array.from(files, ({ size }) => size),
    lastModified: new Float64Array(count).fill(created),
    etags,
    etagEnds: Uint32Array.from(files, (_, i) => (i + 1) * MARKED_BYTES),
    archived: new Uint8Array(count),
    released: {
      packs,
      packOf,
      offsets,
      executable: Uint8Array.from(files, (file) => Number(file.executable)),
    },
  };
}
