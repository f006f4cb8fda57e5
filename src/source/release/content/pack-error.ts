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

/** What came is not what the manifest names. Where it was damaged on its way, another try may get it whole. */
export function corruptContent(pack: string, path: string, what: string): StoreError {
  return new StoreError(
    'corrupt',
    `${releaseKeys.pack(pack)} has other bytes for ${path} than its release names: ${what}`,
    'Find out who can write below the release root, and deploy the whole tree from its source with --upload-all.',
    true,
  );
}

/** An error of the store while it was asked for a part of a pack, as one of this content. */
export function contentError(error: unknown, pack: string, path: string): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'gone') return new PackError(pack, path);
  // It is shorter than it must be: no version of a pack but one is ever asked for.
  if (error.code === 'changed') return corruptContent(pack, path, error.detail);
  return error;
}
