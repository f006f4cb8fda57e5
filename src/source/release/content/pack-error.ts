import { releaseKeys } from '../../../release/index.ts';
import { StoreError } from '../../../store/store-error.ts';

/** A pack that a release needs is not in the store. */
export class PackError extends Error {
  override readonly name = 'PackError';
  readonly code = 'missing-pack';
  readonly detail: string;
  readonly hint =
    'Put it back from a version or a replica of the bucket, or deploy the whole tree from its source with --upload-all.';

  constructor(pack: string, path: string) {
    const detail = `${releaseKeys.pack(pack)}, which has the bytes of ${path}, is not in the store`;
    super(detail);
    this.detail = detail;
  }
}

/**
 * The bytes that came are not what the manifest names. If they were damaged on the way, another attempt may succeed.
 */
export function corruptContent(pack: string, path: string, what: string): StoreError {
  return new StoreError(
    'corrupt',
    `${releaseKeys.pack(pack)} has other bytes for ${path} than its release names: ${what}`,
    'Check which accounts can write below the release root, and deploy the whole tree from its source with --upload-all.',
    true,
  );
}

/** Turns a store's error about a part of a pack into one about this content. */
export function contentError(error: unknown, pack: string, path: string): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'gone') return new PackError(pack, path);
  // The pack is shorter than it must be: no other version of a pack is ever requested.
  if (error.code === 'changed') return corruptContent(pack, path, error.detail);
  return error;
}
