import type { ListedObjects as ListedColumns } from '../base/listed-objects.ts';

/** The objects from which a tree is built: a listing from src/store, or the rows of a manifest. */
export interface ListedObjects extends ListedColumns {
  /** Of a release, whose contents have a SHA-256: each of `etags` is a marked digest (src/base/content-digest.ts). */
  readonly released?: ReleasedColumns | undefined;
}

/** The columns of a manifest beyond those of a listing; row i belongs to object i. */
export interface ReleasedColumns {
  /** The SHA-256 of each pack, 32 bytes, one behind the other. */
  readonly packs: Uint8Array;
  /** Which of them the content is in. */
  readonly packOf: Uint32Array;
  /** Where in the pack it begins, bytes. */
  readonly offsets: Uint32Array;
  /** 1: the file has the execute bits. */
  readonly executable: Uint8Array;
}
