import type { ShownSource } from '../../config/shown-source.ts';
import { releaseKeys } from '../../release/index.ts';
import type { ObjectEvent } from './object-events.ts';

/**
 * Matches a configured name that is an alias or ARN of an access point, or a tenant's bucket. Events have the
 * bucket's own name instead, so such a name cannot be compared with theirs.
 */
const OTHER_NAME = /-s3alias$|:/;

/**
 * Returns a function that tells whether an event is about an object that the mount shows. In a release root
 * only the ref counts, because a deploy writes packs and manifests before the ref, and they change nothing by
 * themselves.
 */
export function concernedBy(
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  shown: ShownSource,
): (event: ObjectEvent) => boolean {
  const isBucket = (name: string): boolean => OTHER_NAME.test(bucket) || name === bucket;
  switch (shown.kind) {
    case 'prefix':
      return ({ bucket: name, key }) => isBucket(name) && key.startsWith(prefix);
    case 'release': {
      const ref = `${prefix}${releaseKeys.ref(shown.environment)}`;
      return ({ bucket: name, key }) => isBucket(name) && key === ref;
    }
    default:
      return shown satisfies never;
  }
}
