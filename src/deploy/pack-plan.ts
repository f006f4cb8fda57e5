import type { ReleasedContent, ReleasedFile } from '../release/index.ts';

/** The largest pack that several contents share: a node must be able to hold it in memory. */
export const MOST_PACK_BYTES = 32 * 1024 * 1024;
/**
 * The largest content that shares a pack. A larger content gets a pack of its own, which is fetched in parts
 * when it is read.
 */
export const LARGEST_SHARED_BYTES = 8 * 1024 * 1024;
/** How many packs of several contents a release may need before small packs are joined. */
export const MOST_PACKS = 16;

/** Where a content is stored. */
export interface Place {
  readonly pack: string;
  readonly offset: number;
}

/** One content, identified by its SHA-256. */
export interface Content {
  readonly sha256: string;
  readonly size: number;
}

export interface PackPlan {
  /** Contents that stay in their packs, by SHA-256. */
  readonly kept: ReadonlyMap<string, Place>;
  /** Packs to be written, as lists of their contents in order. */
  readonly packs: readonly (readonly Content[])[];
}

/** The part of an old pack that the new release needs. */
interface UsedPack {
  readonly digest: string;
  readonly contents: Content[];
  /** How many bytes of the pack the new release needs. */
  used: number;
  /** The end of the last content that the current release has in the pack: an estimate of the pack's size. */
  readonly bytes: number;
}

/**
 * Decides which contents are written to new packs: contents that the current release lacks, and contents of
 * packs that are not worth keeping, because the new release uses less than half of the pack. If the release
 * would need more than 16 packs, also the contents of the 8 smallest packs, except of packs that use half of
 * a full pack. So a content is rewritten a few times in a thousand deploys, not in each.
 *
 * The size of an old pack is estimated from the current release, without a request. The contents of a pack
 * are ordered by hash, so the contents that are still used reach close to the end of the pack.
 *
 * @param files the files of the new release
 * @param current the files of the current release
 */
export function planPacks(files: readonly ReleasedContent[], current: readonly ReleasedFile[]): PackPlan {
  const places = placesOf(current);
  const ends = endsOf(current);
  const needed = new Map<string, Content>();
  for (const { sha256, size } of files) if (size > 0) needed.set(sha256, { sha256, size });

  const packs = new Map<string, UsedPack>();
  const fresh: Content[] = [];
  for (const content of needed.values()) {
    const place = places.get(content.sha256);
    if (place === undefined) {
      fresh.push(content);
      continue;
    }
    const pack = packs.get(place.pack) ?? {
      digest: place.pack,
      contents: [],
      used: 0,
      bytes: ends.get(place.pack)!,
    };
    packs.set(place.pack, pack);
    pack.contents.push(content);
    pack.used += content.size;
  }

  const shared = [...packs.values()].filter(isShared);
  const rewritten = new Set(shared.filter((pack) => pack.used * 2 < pack.bytes));
  const staying = shared.filter((pack) => !rewritten.has(pack)).sort(bySize);
  const small = fresh.filter(({ size }) => size <= LARGEST_SHARED_BYTES);
  const written = Math.ceil(
    sum([...small, ...[...rewritten].flatMap((pack) => pack.contents)]) / MOST_PACK_BYTES,
  );
  if (staying.length + written > MOST_PACKS) {
    for (const pack of staying.slice(0, MOST_PACKS / 2))
      if (pack.used * 2 < MOST_PACK_BYTES) rewritten.add(pack);
  }

  const again = [...rewritten].flatMap((pack) => pack.contents);
  const kept = new Map<string, Place>();
  for (const content of needed.values()) kept.set(content.sha256, places.get(content.sha256)!);
  for (const { sha256 } of [...fresh, ...again]) kept.delete(sha256);
  return { kept, packs: fill([...fresh, ...again]) };
}

/**
 * Returns the files with the places (pack and offset) that they have once the packs are written. `digests[i]`
 * is the digest of `plan.packs[i]`.
 */
export function placeFiles(
  files: readonly ReleasedContent[],
  plan: PackPlan,
  digests: readonly string[],
): readonly ReleasedFile[] {
  const places = new Map(plan.kept);
  plan.packs.forEach((contents, at) => {
    let offset = 0;
    for (const { sha256, size } of contents) {
      places.set(sha256, { pack: digests[at]!, offset });
      offset += size;
    }
  });
  return files.map((file) => ({ ...file, place: file.size === 0 ? undefined : places.get(file.sha256)! }));
}

function placesOf(files: readonly ReleasedFile[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { sha256, place } of files) if (place !== undefined) places.set(sha256, place);
  return places;
}

function endsOf(files: readonly ReleasedFile[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { size, place } of files) {
    if (place !== undefined) ends.set(place.pack, Math.max(ends.get(place.pack) ?? 0, place.offset + size));
  }
  return ends;
}

/**
 * Returns whether a pack is for several contents. False for the pack of one large content, which cannot be
 * joined with others.
 */
function isShared({ contents }: UsedPack): boolean {
  return contents.every(({ size }) => size <= LARGEST_SHARED_BYTES);
}

function bySize(one: UsedPack, other: UsedPack): number {
  return one.used - other.used || (one.digest < other.digest ? -1 : 1);
}

/**
 * Distributes contents over packs, in an order that is the same for every deployer, so that equal contents
 * make equal packs.
 */
function fill(contents: readonly Content[]): readonly (readonly Content[])[] {
  const sorted = [...contents].sort((one, other) => (one.sha256 < other.sha256 ? -1 : 1));
  const packs: Content[][] = sorted
    .filter(({ size }) => size > LARGEST_SHARED_BYTES)
    .map((content) => [content]);
  let open: Content[] = [];
  let bytes = 0;
  for (const content of sorted) {
    if (content.size > LARGEST_SHARED_BYTES) continue;
    if (bytes + content.size > MOST_PACK_BYTES) {
      packs.push(open);
      open = [];
      bytes = 0;
    }
    open.push(content);
    bytes += content.size;
  }
  if (open.length > 0) packs.push(open);
  return packs;
}

function sum(contents: readonly Content[]): number {
  return contents.reduce((bytes, { size }) => bytes + size, 0);
}
