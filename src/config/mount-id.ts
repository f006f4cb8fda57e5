import { createHash } from 'node:crypto';
import type { Endpoints } from '../base/store-endpoints.ts';

export interface MountIdentity {
  readonly endpoints: Endpoints;
  readonly bucket: string;
  /** The prefix of the keys: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
  /** The environment whose release is shown; undefined for a plain prefix. */
  readonly ref?: string | undefined;
  /**
   * Whether the mount shows versions. This is part of the identity, so that a kernel that knows one layout is
   * never shown the other layout.
   */
  readonly versions?: boolean | undefined;
  /** The trees below the mount point, if it shows several. */
  readonly trees?: readonly TreeIdentity[] | undefined;
}

export interface TreeIdentity {
  readonly path: string;
  readonly config: Omit<MountIdentity, 'target' | 'versions' | 'trees'>;
}

/**
 * Returns the id of a mount, which is its name in the cache and runtime directories: the first 12 hex digits
 * of a SHA-256 over parts that a NUL separates, because no part can contain a NUL. The parts are the first
 * endpoint (or `aws`), bucket, prefix and mount point; the environment, if the mount shows a release;
 * `versions`, if it shows versions; and if it shows several trees, the path, endpoint, bucket, prefix and
 * environment of each tree.
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
