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
 * Returns the error for bytes that are not what the manifest names. It is retryable, because bytes that were
 * damaged on the way may arrive intact at another attempt.
 */
export function corruptContent(pack: string, path: string, what: string): StoreError {
  return new StoreError(
    'corrupt',
    `${releaseKeys.pack(pack)} has other bytes for ${path} than its release names: ${what}`,
    'Check which accounts can write below the release root, and deploy the whole tree from its source with --upload-all.',
    true,
  );
}

/**
 * Turns an error of the store about a part of a pack into an error about this content. Returns any other
 * error as it is.
 */
export function contentError(error: unknown, pack: string, path: string): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'gone') return new PackError(pack, path);
  // `changed` can only mean that the pack is too short, because packs are requested without a version.
  if (error.code === 'changed') return corruptContent(pack, path, error.detail);
  return error;
}
