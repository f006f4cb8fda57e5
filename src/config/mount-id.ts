import { createHash } from 'node:crypto';

export interface MountIdentity {
  /** Undefined for AWS's own. */
  readonly endpoint: string | undefined;
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
}

/**
 * What names a mount in the cache and runtime directories: the first 12 hex digits of SHA-256 over endpoint (or
 * `aws`), bucket, prefix and mount point, with a NUL between them, which none of them can hold.
 */
export function mountId({ endpoint, bucket, prefix, target }: MountIdentity): string {
  return createHash('sha256')
    .update([endpoint ?? 'aws', bucket, prefix, target].join('\0'))
    .digest('hex')
    .slice(0, 12);
}
