import { createHash } from 'node:crypto';

export interface MountIdentity {
  /** Undefined for AWS's own. */
  readonly endpoint: string | undefined;
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
  /** The environment whose release is shown; undefined for a plain prefix. */
  readonly ref?: string | undefined;
}

/** The id of the mount that a configuration describes. */
export function mountIdOf(
  config: Omit<MountIdentity, 'endpoint'> & { readonly endpointUrl: string | undefined },
): string {
  return mountId({ ...config, endpoint: config.endpointUrl });
}

/**
 * What names a mount in the cache and runtime directories: the first 12 hex digits of SHA-256 over endpoint (or
 * `aws`), bucket, prefix, mount point and, of a release, environment, with a NUL between them, which none of them can hold.
 */
export function mountId({ endpoint, bucket, prefix, target, ref }: MountIdentity): string {
  return createHash('sha256')
    .update([endpoint ?? 'aws', bucket, prefix, target, ...(ref === undefined ? [] : [ref])].join('\0'))
    .digest('hex')
    .slice(0, 12);
}
