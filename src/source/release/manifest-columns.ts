import { markDigest } from '../../base/content-digest.ts';
import type { Manifest, ReleasedFile } from '../../release/index.ts';
import type { ListedObjects } from '../../tree/index.ts';

const DIGEST_BYTES = 32;
const MARKED_BYTES = markDigest('0'.repeat(2 * DIGEST_BYTES)).length;
/**
 * The largest offset that a content may have in its pack. No deploy of dagmount writes a larger one, because
 * packs of many contents have at most 32 MiB.
 */
export const MOST_OFFSET = 2 ** 32 - 1;

/** Returns the first file whose offset is beyond MOST_OFFSET; undefined if there is none. */
export function findFarOff({ files }: Manifest): ReleasedFile | undefined {
  return files.find(({ place }) => place !== undefined && place.offset > MOST_OFFSET);
}

/**
 * Returns the files of a manifest in the form of a listing. The SHA-256 of each content takes the place of
 * its ETag.
 *
 * @param created the date of every file, in milliseconds since the epoch
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
  // Each file has the number of a pack, and without a pack that number is 0. If all files are empty, a pack
  // of zeros makes that number valid.
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
