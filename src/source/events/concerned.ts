import type { ShownSource } from '../../config/shown-source.ts';
import { releaseKeys } from '../../release/index.ts';
import type { ObjectEvent } from './object-events.ts';

/** An alias of an access point, an ARN, a bucket of a tenant: events have the bucket's own name. */
const OTHER_NAME = /-s3alias$|:/;

/**
 * Whether an event is about what a mount shows. Of a release this is the ref alone: packs and manifests come before it
 * and change nothing.
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
