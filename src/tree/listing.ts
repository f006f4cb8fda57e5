import type { ListedObjects as ListedColumns } from '../base/listed-objects.ts';

/** The objects from which a tree is built: a listing from src/store, or the rows of a manifest. */
export interface ListedObjects extends ListedColumns {
  /**
   * Set for a release, whose contents have a SHA-256. Then each of `etags` is a marked digest
   * (src/base/content-digest.ts).
   */
  readonly released?: ReleasedColumns | undefined;
}

/** The columns of a manifest that a listing does not have. Row i belongs to object i, except in `packs`. */
export interface ReleasedColumns {
  /** The SHA-256 of each pack, 32 bytes, one after the other. */
  readonly packs: Uint8Array;
  /** The pack that has the content of the object, as an index into `packs`. */
  readonly packOf: Uint32Array;
  /** Where the content of the object begins in its pack, in bytes. */
  readonly offsets: Uint32Array;
  /** 1 if the file has the execute bits, otherwise 0. */
  readonly executable: Uint8Array;
}
