import type { ReleasedContent, ReleasedFile } from '../release/index.ts';

/** A pack of many contents is at most so large, so that a node can have it in memory. */
export const MOST_PACK_BYTES = 32 * 1024 * 1024;
/** A larger content is a pack of its own: it is fetched in parts, when it is read. */
export const LARGEST_SHARED_BYTES = 8 * 1024 * 1024;
/** A release lies in at most so many packs of many contents, where they can be joined at all. */
export const MOST_PACKS = 16;

/** Where a content lies. */
export interface Place {
  readonly pack: string;
  readonly offset: number;
}

/** One content, known by its SHA-256. */
export interface Content {
  readonly sha256: string;
  readonly size: number;
}

export interface PackPlan {
  /** Contents that stay where they are, by SHA-256. */
  readonly kept: ReadonlyMap<string, Place>;
  /** Packs to be written: their contents, one behind the other. */
  readonly packs: readonly (readonly Content[])[];
}

/** A pack of the release before, as far as the new release needs it. */
interface UsedPack {
  readonly digest: string;
  readonly contents: Content[];
  /** Bytes that the new release needs of it. */
  used: number;
  /** Where the last content ends that the current release has in it. */
  readonly bytes: number;
}

/**
 * Decides what is written: the contents that the current release has not, and those of packs that are not worth keeping.
 * Those are packs less than half used, and, where the release would lie in more than 16 packs, the smallest of them, half
 * at a time: a content is so written anew a few times in a thousand deploys, not with each.
 *
 * How large a pack is follows from the current release alone, without asking the store: contents lie in the order of their
 * hashes, so that those which are left of many reach close to its end.
 *
 * @param files of the new release
 * @param current files of the current release
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

/** The files with the places that they have once the packs are written, whose digests are given in the plan's order. */
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

/** Not the pack of one large content, which cannot be joined with others. */
function isShared({ contents }: UsedPack): boolean {
  return contents.every(({ size }) => size <= LARGEST_SHARED_BYTES);
}

function bySize(one: UsedPack, other: UsedPack): number {
  return one.used - other.used || (one.digest < other.digest ? -1 : 1);
}

/** One behind the other, in an order that does not depend on who deploys: equal contents make equal packs. */
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
