import { HEADER, type Layout } from './layout.ts';

/** The buffer of a generation as typed arrays. Only the build and setPublishTime() write to them. */
export interface Columns {
  readonly header: DataView;
  readonly nodeIds: Float64Array;
  /** The bytes of a file; the number of subdirectories of a directory (whose own size is always 0). */
  readonly sizes: Float64Array;
  readonly parents: Uint32Array;
  /** Name i is `heap[nameStarts[i] .. nameStarts[i + 1])`. */
  readonly nameStarts: Uint32Array;
  /** The children of i are the entries `childStarts[i] .. childStarts[i + 1]`; none for a file. */
  readonly childStarts: Uint32Array;
  readonly mtimeSeconds: Uint32Array;
  readonly mtimeNanoseconds: Uint32Array;
  readonly lastModified: Uint32Array;
  readonly cookieHigh: Uint32Array;
  readonly cookieLow: Uint32Array;
  /** The indices of all entries, by ascending node id. */
  readonly byNode: Uint32Array;
  /** The version name of each entry: 16 bytes, all zero for a directory. */
  readonly versions: Uint8Array;
  /**
   * What identifies the content of each entry, in 4 words. With FLAG_PACKED_ETAG: the 16 bytes of the ETag.
   * With FLAG_DIGEST: the offset of the SHA-256 in the heap, its length, the offset of the pack's SHA-256 in
   * the heap, and the offset of the content in the pack. Otherwise: the offset of the ETag in the heap, its
   * length, 0, 0.
   */
  readonly etags: Uint32Array;
  readonly etagBytes: Uint8Array;
  readonly flags: Uint8Array;
  readonly heap: Uint8Array;
}

export function openColumns(buffer: SharedArrayBuffer, layout: Layout): Columns {
  const header = new DataView(buffer);
  const entries = header.getUint32(HEADER.entries, true);
  const words = (offset: number, count = entries): Uint32Array => new Uint32Array(buffer, offset, count);
  return {
    header,
    nodeIds: new Float64Array(buffer, layout.nodeIds, entries),
    sizes: new Float64Array(buffer, layout.sizes, entries),
    parents: words(layout.parents),
    nameStarts: words(layout.nameStarts, entries + 1),
    childStarts: words(layout.childStarts, entries + 1),
    mtimeSeconds: words(layout.mtimeSeconds),
    mtimeNanoseconds: words(layout.mtimeNanoseconds),
    lastModified: words(layout.lastModified),
    cookieHigh: words(layout.cookieHigh),
    cookieLow: words(layout.cookieLow),
    byNode: words(layout.byNode),
    versions: new Uint8Array(buffer, layout.versions, 16 * entries),
    etags: words(layout.etags, 4 * entries),
    etagBytes: new Uint8Array(buffer, layout.etags, 16 * entries),
    flags: new Uint8Array(buffer, layout.flags, entries),
    heap: new Uint8Array(buffer, layout.heap, layout.byteLength - layout.heap),
  };
}
