import type { ContentVersion } from '../tree/index.ts';

/** A version whose id in the store is asked for. */
export interface AskedVersion extends Pick<ContentVersion, 'path' | 'etag'> {
  readonly tree: number;
}
