import type { ShownSource } from '../../config/shown-source.ts';
import { releaseKeys } from '../../release/index.ts';
import type { ObjectEvent } from './object-events.ts';

/** An alias of an access point, an ARN, or a bucket of a tenant: events have the bucket's own name instead. */
const OTHER_NAME = /-s3alias$|:/;

/**
 * Whether an event is about what a mount shows. For a release, only the ref counts: packs and manifests are written
 * before it and change nothing.
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
