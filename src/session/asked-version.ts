import type { ContentVersion } from '../tree/index.ts';

/** A file version for which a reader asks the store's version id (the attribute `version-id`). */
export interface AskedVersion extends Pick<ContentVersion, 'path' | 'etag'> {
  readonly tree: number;
}
