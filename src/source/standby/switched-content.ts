import type { ContentRequest, ContentStore } from '../../cache/receive.ts';
import type { ObjectBody, SmallObject, SmallObjectRequest } from '../../store/object-store.ts';
import type { SameObject } from './compare-listings.ts';

/**
 * Fetches content from the store that trees are currently read from. Translates the ETags under which files
 * are shown into the ETags of that store.
 */
export class SwitchedContent implements ContentStore {
  #store: ContentStore;
  #same: ReadonlyMap<string, SameObject> = new Map();

  constructor(first: ContentStore) {
    this.#store = first;
  }

  /** Switches to a store. Requests in progress continue at the store where they began. */
  use(store: ContentStore, same: ReadonlyMap<string, SameObject>): void {
    this.#store = store;
    this.#same = same;
  }

  async get(path: string, request: ContentRequest): Promise<ObjectBody> {
    const store = this.#store;
    const same = this.#same.get(path);
    if (same === undefined || request.ifMatch !== same.shown.etag) return store.get(path, request);
    const { etag, lastModified } = same;
    const body = await store.get(path, { ...request, ifMatch: etag, lastModified });
    return body.etag === etag ? { ...body, etag: same.shown.etag } : body;
  }

  getSmall(path: string, request: SmallObjectRequest): Promise<SmallObject | undefined> | undefined {
    const isTranslated = this.#same.get(path)?.shown.etag === request.etag;
    return isTranslated ? undefined : this.#store.getSmall?.(path, request);
  }
}
