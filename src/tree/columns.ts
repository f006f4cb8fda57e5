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
  /** All entries, by ascending node id. */
  readonly byNode: Uint32Array;
  /** 16 bytes an entry, zeros for directories. */
  readonly versions: Uint8Array;
  /**
   * 4 words an entry: 16 packed bytes; or offset into the heap, length, 0, 0; or, with FLAG_DIGEST, offset of the SHA-256,
   * its length, offset of the pack's SHA-256, and where in the pack the content begins.
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
