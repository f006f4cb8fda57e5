import { createHash } from 'node:crypto';
import type { Endpoints } from '../base/store-endpoints.ts';

export interface MountIdentity {
  readonly endpoints: Endpoints;
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
  /** The environment whose release is shown; undefined for a plain prefix. */
  readonly ref?: string | undefined;
  /** Whether it shows versions: a kernel that knows one layout is never shown the other. */
  readonly versions?: boolean | undefined;
  /** The trees below the mount point, if it shows several. */
  readonly trees?: readonly TreeIdentity[] | undefined;
}

export interface TreeIdentity {
  readonly path: string;
  readonly config: Omit<MountIdentity, 'target' | 'versions' | 'trees'>;
}

/**
 * What names a mount in the cache and runtime directories: the first 12 hex digits of SHA-256 over the first
 * endpoint (or `aws`), bucket, prefix, mount point and, of a release, environment and, if it shows them,
 * `versions`, and, if it shows several trees, path, endpoint, bucket, prefix and environment of each, with a NUL
 * between them, which none of them can hold.
 */
export function mountId({
  endpoints,
  bucket,
  prefix,
  target,
  ref,
  versions,
  trees = [],
}: MountIdentity): string {
  const [endpoint] = endpoints;
  return createHash('sha256')
    .update(
      [
        endpoint ?? 'aws',
        bucket,
        prefix,
        target,
        ...(ref === undefined ? [] : [ref]),
        ...(versions === true ? ['versions'] : []),
        ...trees.flatMap(({ path, config }) => [
          path,
          config.endpoints[0] ?? 'aws',
          config.bucket,
          config.prefix,
          config.ref ?? '',
        ]),
      ].join('\0'),
    )
    .digest('hex')
    .slice(0, 12);
}
