import { LRUCache } from 'lru-cache';
import type { ObjectBody, SmallObject, SmallObjectRequest } from '../store/object-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ContentRequest, ContentStore } from './receive.ts';

/** The maximum number of version ids to remember of files that are read in parts; some 200 bytes each. */
const KNOWN_VERSIONS = 10_000;
/** The maximum number of version ids to remember of files that were read whole. */
const KNOWN_WHOLE = 50_000;

/**
 * Reads the rest of a file after its object was replaced or deleted, if the bucket has S3 versioning.
 * Listings do not contain the S3 version id, but the answer to an earlier request for a part of the content
 * did. Needs s3:GetObjectVersion; without this permission, reads behave as in a bucket without versioning.
 */
export class ReplacedContent implements ContentStore {
  readonly #store: ContentStore;
  readonly #onReplaced: (path: string, etag: string) => void;
  readonly #versionIds = new LRUCache<string, string>({ max: KNOWN_VERSIONS });
  /** Version ids of content that was read whole. They are only displayed, never requested. */
  readonly #whole = new LRUCache<string, string>({ max: KNOWN_WHOLE });

  /**
   * `onReplaced` is called when the store no longer has this content at `path`. The content may still be
   * readable.
   */
  constructor(store: ContentStore, onReplaced: (path: string, etag: string) => void) {
    this.#store = store;
    this.#onReplaced = onReplaced;
  }

  /** Returns the S3 version id of this content; undefined if no answer contained it. */
  versionIdOf(path: string, etag: string): string | undefined {
    const key = keyOf(path, etag);
    return this.#versionIds.peek(key) ?? this.#whole.peek(key);
  }

  async get(path: string, options: ContentRequest): Promise<ObjectBody> {
    const { ifMatch } = options;
    try {
      const answer = await this.#store.get(path, options);
      if (answer.versionId !== undefined) {
        const ids = options.range === undefined ? this.#whole : this.#versionIds;
        ids.set(keyOf(path, answer.etag), answer.versionId);
      }
      return answer;
    } catch (error) {
      if (ifMatch === undefined || !isReplaced(error)) throw error;
      this.#onReplaced(path, ifMatch);
      const versionId = this.#versionIds.get(keyOf(path, ifMatch));
      if (versionId === undefined) throw error;
      return await this.#getVersion(path, { ...options, versionId }, error);
    }
  }

  getSmall(path: string, request: SmallObjectRequest): Promise<SmallObject | undefined> | undefined {
    const { etag } = request;
    return this.#store.getSmall?.(path, request)?.then((object) => {
      const versionId = object?.versionId;
      if (versionId !== undefined) this.#whole.set(keyOf(path, etag), versionId);
      return object;
    });
  }

  async #getVersion(path: string, options: ContentRequest, replaced: StoreError): Promise<ObjectBody> {
    try {
      return await this.#store.get(path, options);
    } catch (error) {
      // The old version was deleted permanently, or reading versions is not permitted: report only the
      // replacement.
      if (error instanceof StoreError && UNAVAILABLE.has(error.code)) throw replaced;
      throw error;
    }
  }
}

const UNAVAILABLE: ReadonlySet<string> = new Set(['gone', 'changed', 'denied', 'bad-request']);

function isReplaced(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'changed' || error.code === 'gone');
}

function keyOf(path: string, etag: string): string {
  return `${etag} ${path}`;
}
