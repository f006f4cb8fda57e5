import { LRUCache } from 'lru-cache';
import type { ObjectBody } from '../store/object-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ContentRequest, ContentStore } from './receive.ts';

/** Versions of files that are read in parts; some 200 bytes each. */
const KNOWN_VERSIONS = 10_000;
/** Versions of files that came whole. */
const KNOWN_WHOLE = 50_000;

/**
 * A store of which the rest of a file can be had after the object was replaced or deleted, where the bucket keeps
 * versions: listings do not tell a version's id, but the answer to an earlier part of the same content did. Needs
 * s3:GetObjectVersion, and nothing goes wrong without.
 */
export class ReplacedContent implements ContentStore {
  readonly #store: ContentStore;
  readonly #onReplaced: (path: string, etag: string) => void;
  readonly #versionIds = new LRUCache<string, string>({ max: KNOWN_VERSIONS });
  /** Of content that came whole: nothing is asked for by them, they are shown to people. */
  readonly #whole = new LRUCache<string, string>({ max: KNOWN_WHOLE });

  /** `onReplaced`: the store has this content no more under its path; it may be had all the same. */
  constructor(store: ContentStore, onReplaced: (path: string, etag: string) => void) {
    this.#store = store;
    this.#onReplaced = onReplaced;
  }

  /** The id under which the store keeps this content, as far as was seen. */
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

  async #getVersion(path: string, options: ContentRequest, replaced: StoreError): Promise<ObjectBody> {
    try {
      return await this.#store.get(path, options);
    } catch (error) {
      // Removed for good, or reading versions is not granted: all that can be said is that it was replaced.
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
