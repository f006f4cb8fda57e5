/** One content of a pack. */
export interface PackedContent {
  /** The SHA-256 of the pack. */
  readonly pack: string;
  readonly offset: number;
  readonly size: number;
}

/** Bytes of a pack that are fetched by one request: contents, and the few unneeded bytes between them. */
export interface Segment {
  readonly pack: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** The offsets of its contents. */
  readonly offsets: readonly number[];
}

/**
 * The maximum number of bytes of a segment. This is the length of the largest pack of many contents, so that
 * one request fetches a pack that is needed completely.
 */
export const MOST_SEGMENT_BYTES = 32 * 1024 * 1024;
/**
 * The maximum number of unneeded bytes between two contents of a segment. At 50 MB/s, reading these bytes
 * takes as long as another request to a store that is 10 ms away.
 */
const MOST_GAP_BYTES = 512 * 1024;

/**
 * Joins contents into segments.
 *
 * @param contents sorted by pack, and within a pack by offset; files with equal content may name the same
 * range
 */
export function segmentsOf(contents: readonly PackedContent[]): readonly Segment[] {
  const segments: Segment[] = [];
  let open:
    | { readonly pack: string; readonly start: number; end: number; readonly offsets: number[] }
    | undefined;
  for (const { pack, offset, size } of contents) {
    const end = offset + size;
    const joins =
      open !== undefined &&
      open.pack === pack &&
      offset - open.end <= MOST_GAP_BYTES &&
      end - open.start <= MOST_SEGMENT_BYTES;
    if (open === undefined || !joins) {
      open = { pack, start: offset, end, offsets: [offset] };
      segments.push(open);
      continue;
    }
    open.end = Math.max(open.end, end);
    if (open.offsets.at(-1) !== offset) open.offsets.push(offset);
  }
  return segments;
}
