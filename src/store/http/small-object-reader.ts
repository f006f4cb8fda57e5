import { hash } from 'node:crypto';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import { Deadline } from '../deadline.ts';
import type { Md5Trust } from '../md5-trust.ts';
import type { SmallObject, SmallObjectRequest } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import { announcedChecksum, checksumOf } from './checksum.ts';
import { versionIdOf } from './object-answer.ts';
import type { RequestLimits } from './request-limits.ts';
import type { SignedHttp, StoreAnswer } from './signed-http.ts';

/**
 * After this many answers in a row that were not ordinary, further ones are unlikely to be, and each costs a
 * second request.
 */
const MOST_ODD = 4;
/**
 * Then no small object is requested this way for this long, in milliseconds; after that, one at a time until an
 * answer is ordinary.
 */
const REST_MS = 60_000;
/** A request counts as failed if its caller gives up this many milliseconds after it was sent, or later. */
const LATE_MS = 1_000;

/** `other`: the content has the listed size, and another MD5 than the listed ETag. */
type Outcome = 'ordinary' | 'other' | 'odd' | 'throttled';

/**
 * Reads small objects the short way: one request, whose answer is accepted only if its content has the listed
 * size, the listed ETag as its MD5, and the checksum that the answer announces, if it announces one. Any other
 * answer, and any failure, is left to ObjectReader, which requests the object again: it judges, retries and
 * reports.
 */
export class SmallObjectReader {
  readonly #http: SignedHttp;
  readonly #limits: RequestLimits;
  readonly #md5: Pick<Md5Trust, 'of'>;
  #hasMatched = false;
  /** Answers in a row that were not ordinary, and how many of these were `other`. */
  #odd = 0;
  #other = 0;
  /** By performance.now(). */
  #restsUntil = Number.NEGATIVE_INFINITY;
  /** After a rest: whether a request is under way that shows if answers are ordinary again. */
  #trial: 'none' | 'due' | 'under-way' = 'none';

  constructor(http: SignedHttp, limits: RequestLimits, md5: Pick<Md5Trust, 'of'>) {
    this.#http = http;
    this.#limits = limits;
    this.#md5 = md5;
  }

  /** See ObjectStore.getSmall(). `key`: the whole key, prefix included. */
  read(key: string, request: SmallObjectRequest): Promise<SmallObject | undefined> | undefined {
    if (this.#isResting || this.#trial === 'under-way') return undefined;
    if (this.#trial === 'none') return this.#read(key, request);
    this.#trial = 'under-way';
    return this.#read(key, request).finally(() => {
      if (this.#trial === 'under-way') this.#trial = 'due';
    });
  }

  get #isResting(): boolean {
    return performance.now() < this.#restsUntil;
  }

  async #read(key: string, request: SmallObjectRequest): Promise<SmallObject | undefined> {
    const { signal, etag, deadlineMs = RETRIES.smallObject.deadlineMs } = request;
    const deadline = new Deadline(signal);
    let release: (() => void) | undefined;
    let sentAt = Number.POSITIVE_INFINITY;
    try {
      release = await this.#limits.acquire('background', deadline);
      if (this.#isResting) return undefined;
      deadline.start(deadlineMs);
      sentAt = performance.now();
      const headers = { 'if-match': `"${etag}"` };
      const answer = await this.#http.send({ operation: 'get', key, headers }, deadline);
      return await this.#objectOf(answer, key, request, deadline);
    } catch (error) {
      if (!signal.aborted || performance.now() - sentAt > LATE_MS) this.#note(outcomeOf(error));
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof StoreError || deadline.passed)) throw error;
      return undefined;
    } finally {
      release?.();
      deadline.dispose();
    }
  }

  async #objectOf(
    answer: StoreAnswer,
    key: string,
    { etag, size }: SmallObjectRequest,
    deadline: Deadline,
  ): Promise<SmallObject | undefined> {
    const { status, headers, body } = answer;
    if (status !== 200 || headers.etag !== `"${etag}"`) {
      body.cancel(new Error('the answer is not the ordinary one'));
      this.#note('odd');
      return undefined;
    }
    const bytes = await this.#http.collect(answer, size, deadline);
    const outcome = bytes?.length === size ? await outcomeFor(bytes, etag, headers) : 'odd';
    this.#note(outcome);
    if (bytes === undefined || outcome !== 'ordinary') return undefined;
    // Only the match is noted: ObjectReader notes another MD5 if the store announces no checksum.
    this.#md5.of(key)(etag, etag);
    return { bytes, versionId: versionIdOf(headers) };
  }

  #note(outcome: Outcome): void {
    if (outcome === 'ordinary') {
      this.#hasMatched = true;
      this.#odd = this.#other = 0;
      this.#trial = 'none';
      return;
    }
    this.#odd += 1;
    if (outcome === 'other') this.#other += 1;
    if (this.#odd < MOST_ODD && outcome !== 'throttled' && this.#trial === 'none') return;
    // With a key of KMS, for example, an ETag is no MD5. Then the short way never works.
    const isNever = this.#other >= MOST_ODD && !this.#hasMatched;
    const until = isNever ? Number.POSITIVE_INFINITY : performance.now() + REST_MS;
    this.#restsUntil = Math.max(this.#restsUntil, until);
    this.#odd = 0;
    this.#trial = 'due';
  }
}

/** Undefined if MD5 is not available, as in FIPS mode. */
function md5Of(bytes: Uint8Array): string | undefined {
  try {
    return hash('md5', bytes, 'hex');
  } catch {
    return undefined;
  }
}

/** For content of the listed size. */
async function outcomeFor(
  bytes: Uint8Array,
  etag: string,
  headers: StoreAnswer['headers'],
): Promise<Outcome> {
  if (md5Of(bytes) !== etag) return 'other';
  const announced = announcedChecksum(headers);
  const isAnnounced = announced === undefined || (await checksumOf(bytes, announced)) === announced.value;
  return isAnnounced ? 'ordinary' : 'odd';
}

function outcomeOf(error: unknown): Outcome {
  return error instanceof StoreError && error.code === 'throttled' ? 'throttled' : 'odd';
}
