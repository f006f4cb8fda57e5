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

/** The length of the largest pack of many contents, so that a pack which is needed completely takes one request. */
export const MOST_SEGMENT_BYTES = 32 * 1024 * 1024;
/** At 50 MB/s, reading these bytes takes as long as another request to a store that is 10 ms away. */
const MOST_GAP_BYTES = 512 * 1024;

/**
 * Joins contents into segments.
 *
 * @param contents by pack, and by offset in each; equal ones may share a range
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
