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
 * The name of a mount in the cache and runtime directories: the first 12 hex digits of SHA-256 over these parts. First
 * endpoint (or `aws`), bucket, prefix and mount point; of a release, the environment; `versions`, if the mount shows
 * them; path, endpoint, bucket, prefix and environment of each of several trees. A NUL separates the parts, because
 * none of them can contain one.
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
