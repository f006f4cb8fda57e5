import { LRUCache } from 'lru-cache';
import { bareEtag, isEtag } from './etag.ts';
import type { EtagTrust } from './etag-trust.ts';
import { changed, LengthError } from './http/object-answer.ts';
import type { GetOptions, ObjectBody, ObjectHead, ObjectStore } from './object-store.ts';
import { StoreError } from './store-error.ts';

type ContentStore = Pick<ObjectStore, 'get'>;

/** The maximum number of versions whose answers are remembered; some 300 bytes each. */
const MOST_VERSIONS = 10_000;

/**
 * The maximum number of milliseconds by which a date in a header may be later than in the listing. Both have
 * whole seconds, and stores round them differently.
 */
const SECOND_MS = 1000;

/** What the first answer for a version said; later answers must say the same. */
interface Accepted {
  readonly etag: string;
  /**
   * The ETag that later requests have in If-Match. Undefined: they have no If-Match, because no ETag can
   * match.
   */
  readonly condition: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

interface Answer {
  readonly object: ObjectBody;
  /** The ETag in the request's If-Match. Undefined: no If-Match was sent. */
  readonly condition: string | undefined;
  /** Whether the store said that the condition does not hold. The request was then repeated without it. */
  readonly refused: boolean;
}

/** The options of GET, each of them required, so that code which copies them cannot forget one. */
type EveryGetOption = { readonly [Name in keyof Required<GetOptions>]: GetOptions[Name] };

interface Listed {
  readonly path: string;
  /** The ETag in the listing, or the date that replaces a missing ETag. */
  readonly etag: string;
  readonly lastModified: number | undefined;
}

/**
 * Requests objects as they were listed: `ifMatch`, `size` and `lastModified` come from the listing. The ETag
 * identifies the version of an object if listings and GET have the same ETags; otherwise size and date
 * identify it. All answers for one version must have the same ETag and date. Answers are returned with the
 * listed ETag.
 *
 * If-Match is sent only with an ETag that can match: not with one that GET marked as weak, nor with one that
 * only listings have.
 */
export class ListedContent implements ContentStore {
  readonly #store: ContentStore;
  readonly #trust: EtagTrust;
  readonly #accepted = new LRUCache<string, Accepted>({ max: MOST_VERSIONS });
  /**
   * Whether the store is known to evaluate If-Match although it sends no ETags. Other stores without ETags
   * refuse every If-Match, so their refusal means nothing.
   */
  #conditionsHold = false;

  constructor(store: ContentStore, trust: EtagTrust) {
    this.#store = store;
    this.#trust = trust;
  }

  /** @throws {StoreError} `changed`: the answer has, or may have, another version of the object */
  async get(path: string, options: GetOptions): Promise<ObjectBody> {
    const { ifMatch: etag, size, lastModified } = options;
    // Without a listed version, request the current one.
    if (etag === undefined || size === undefined) return this.#store.get(path, options);
    const listed = { path, etag, lastModified };
    const { object } = await this.#asListed(listed, options, true);
    return object.etag === etag ? object : { ...object, etag };
  }

  /**
   * Compares the store's answer for an object with the listing, by requesting the part `range` of the object.
   * Later requests need not agree with this answer, because a store may give another ETag in each answer.
   *
   * @throws {StoreError} `changed`, as get()
   */
  async compare(path: string, options: GetOptions & { readonly ifMatch: string }): Promise<void> {
    const listed = { path, etag: options.ifMatch, lastModified: options.lastModified };
    const { object } = await this.#asListed(listed, options, false);
    await leave(object);
  }

  /** @param binds whether later answers for this version must have the same ETag and date */
  async #asListed(listed: Listed, options: GetOptions, binds: boolean): Promise<Answer> {
    const answer = await this.#ask(listed, options);
    if (this.#isListed(listed, answer)) {
      if (binds) this.#remember(listed, answer);
      return answer;
    }
    await leave(answer.object);
    throw changed(`${listed.path} has ${said(answer.object)}, but ${listed.etag} is listed`);
  }

  async #ask(listed: Listed, options: GetOptions): Promise<Answer> {
    const condition = this.#conditionOf(listed);
    if (condition !== undefined) {
      try {
        const object = await this.#get(listed, askingFor(options, condition));
        return { object, condition, refused: false };
      } catch (error) {
        if (!isChanged(error)) throw error;
      }
    }
    // The answer to an unconditional request shows by its ETag why the condition failed.
    const object = await this.#get(listed, askingFor(options, undefined));
    return { object, condition, refused: condition !== undefined };
  }

  async #get(listed: Listed, options: GetOptions): Promise<ObjectBody> {
    try {
      return await this.#store.get(listed.path, options);
    } catch (error) {
      const answer = error instanceof LengthError ? error.announced : undefined;
      if (answer === undefined) throw error;
      // If the ETag is known for this version, the answer is of this version but damaged. Otherwise it is
      // another version.
      const known = [bareEtag(listed.etag), this.#accepted.get(keyOf(listed))?.etag];
      if (answer.etag !== '' && known.includes(answer.etag)) throw error;
      throw changed(`${listed.path} has ${answer.size} bytes, not ${options.size} as listed`);
    }
  }

  #conditionOf(listed: Listed): string | undefined {
    const accepted = this.#accepted.get(keyOf(listed));
    if (accepted !== undefined) return accepted.condition;
    const etag = bareEtag(listed.etag);
    return isEtag(etag) && !this.#trust.own ? etag : undefined;
  }

  #isListed(listed: Listed, { object: answer, condition, refused }: Answer): boolean {
    const key = keyOf(listed);
    const accepted = this.#accepted.get(key);
    if (accepted !== undefined) {
      // The condition held for this version before, so the object has changed.
      if (refused && answer.etag === '') return false;
      return accepted.etag === answer.etag && accepted.lastModified === answer.lastModified;
    }
    if (answer.etag === '') {
      // Without ETag and date, only the size identifies the version. If the store is then known to evaluate
      // If-Match, its refusal means another version.
      if (refused && answer.lastModified === 0 && this.#conditionsHold) return false;
      this.#conditionsHold ||= condition !== undefined && !refused;
    }
    const etag = bareEtag(listed.etag);
    if (answer.etag !== etag) {
      if (!isSameDate(listed, answer)) return false;
      // Different ETags contradict each other only if both exist.
      if (isEtag(etag) && answer.etag !== '' && !this.#trust.own) {
        this.#trust.differs(listed.path);
        return false;
      }
    }
    return true;
  }

  /** Remembers an answer, but only if later requests need it, because there may be a million files. */
  #remember(listed: Listed, { object, condition, refused }: Answer): void {
    const { etag, lastModified } = object;
    const isConditional = etag !== '' && object.isWeak !== true;
    if (etag === bareEtag(listed.etag) && isConditional) return;
    const key = keyOf(listed);
    if (this.#accepted.has(key)) return;
    const held = etag === '' && !refused ? condition : undefined;
    this.#accepted.set(key, { etag, condition: isConditional ? etag : held, lastModified });
  }
}

/**
 * Returns the options with another `ifMatch`. Uses no spread: see docs/architecture.md, "What an object
 * costs".
 */
function askingFor(options: GetOptions, ifMatch: string | undefined): EveryGetOption {
  const { signal, priority, deadlineMs, versionId, size, lastModified, range } = options;
  return { signal, priority, deadlineMs, versionId, ifMatch, size, lastModified, withoutEtag: true, range };
}

/** Whether the dates agree. A missing date agrees with any date. */
function isSameDate(listed: Listed, answer: ObjectHead): boolean {
  if (listed.lastModified === undefined || answer.lastModified === 0) return true;
  const later = answer.lastModified - listed.lastModified;
  return later >= 0 && later <= SECOND_MS;
}

function keyOf({ path, etag }: Listed): string {
  return `${etag} ${path}`;
}

/** Ends an unread body, which would otherwise occupy its connection. */
async function leave({ body }: ObjectBody): Promise<void> {
  try {
    for await (const _ of body) break;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

function said({ etag, lastModified }: ObjectHead): string {
  const date = lastModified === 0 ? 'no date' : new Date(lastModified).toISOString();
  return `${etag === '' ? 'no ETag' : `ETag ${etag}`} and ${date}`;
}

function isChanged(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'changed';
}
