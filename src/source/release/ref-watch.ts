import type { Clock } from '../../base/clock.ts';
import { RETRIES } from '../../base/retry/retry-policies.ts';
import { type Manifest, MOST_ENVELOPE_BYTES, releaseKeys } from '../../release/index.ts';
import { StoreClock } from '../../store/store-clock.ts';
import { DatedReader } from './dated-reader.ts';
import { judgeStep, type Step, type StepRules } from './judge-step.ts';
import { KnownManifests } from './known-manifests.ts';
import { readManifest } from './read-manifest.ts';
import { RefHeld, type RefHold } from './ref-hold.ts';
import type { ReleaseReader } from './release-reader.ts';
import { StepHistory } from './step-history.ts';
import type { StepMemory } from './step-memory.ts';

/** An accepted release: its step, and its files. */
export interface BelievedRelease {
  readonly step: Step;
  readonly manifest: Manifest;
}

/** The result of one look at a ref. Every result except `held` ends a hold. */
export type RefLook =
  /** The same as at the last look that was not `held`. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'release'; readonly release: BelievedRelease }
  /** Must not be shown before `instant`: milliseconds since the epoch, by the store's clock. */
  | {
      readonly kind: 'armed';
      readonly release: BelievedRelease;
      readonly instant: number;
      readonly meanwhile: Meanwhile;
    }
  /** The instant of the release that was `armed` has come. */
  | { readonly kind: 'due'; readonly step: Step }
  | { readonly kind: 'held'; readonly hold: RefHold };

/** The release in force until the armed one is. */
export type Meanwhile =
  /** The last result that was not held. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'release'; readonly release: BelievedRelease }
  /** The armed release is the first one of its environment. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'held'; readonly hold: RefHold };

export interface RefWatchOptions extends StepRules {
  readonly reader: ReleaseReader;
  /** Steps below this number are held; 0: none. */
  readonly minSequence: number;
  readonly memory: StepMemory;
  /** The manifests that were read, shared with others; the default is a set of its own. */
  readonly manifests?: KnownManifests | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Watches the ref of one environment, and decides which release this node is to show. A writer to the bucket can choose
 * every byte that this class reads. Whatever they are, the result is a release or a reason to hold.
 *
 * As long as nothing changes, one look is one conditional GET of the ref. Each look judges the ref again, because the
 * file of allowed signers may have changed: if a line is removed, what its key has signed is held.
 */
export class RefWatch {
  readonly #options: RefWatchOptions;
  readonly #reader: ReleaseReader;
  readonly #storeClock = new StoreClock();
  readonly #history: StepHistory;
  readonly #manifests: KnownManifests;
  readonly #key: string;
  /** The ref as it was read last. */
  #ref: { readonly bytes: Uint8Array; readonly etag: string | undefined } | undefined;
  #inForce: Step | undefined;
  #armed: Step | undefined;
  #held: { readonly hold: RefHold; readonly step: Step | undefined } | undefined;

  constructor(options: RefWatchOptions) {
    this.#options = options;
    this.#manifests = options.manifests ?? new KnownManifests();
    this.#reader = new DatedReader(options.reader, this.#storeClock, options.clock);
    this.#history = new StepHistory(this.#reader, options);
    this.#key = releaseKeys.ref(options.environment);
  }

  /** Computed from the answers so far. */
  get storeClock(): Pick<StoreClock, 'offset' | 'uncertainty'> {
    return this.#storeClock;
  }

  /** Must not be called concurrently. Rejects with StoreError if the store fails: then nothing is known. */
  async look(signal: AbortSignal): Promise<RefLook> {
    let judged: Step | undefined;
    try {
      for (let tries = 1; ; tries++) {
        const bytes = await this.#readRef(signal);
        judged = undefined;
        judged = judgeStep(bytes, this.#key, this.#options, this.#now());
        const look = await this.#follow(judged, signal, tries === RETRIES.ref.tries);
        if (look === undefined) continue;
        this.#held = undefined;
        return look;
      }
    } catch (error) {
      if (!(error instanceof RefHeld)) throw error;
      // The armed release is no longer accepted. It is returned again once it is accepted.
      this.#armed = undefined;
      this.#held = { hold: error.hold, step: judged };
      return { kind: 'held', hold: error.hold };
    }
  }

  /** The next look returns the release again, even if nothing has changed. */
  forget(): void {
    this.#inForce = undefined;
    this.#armed = undefined;
  }

  /**
   * Makes the next look follow the step that is held now, if it has this digest: an operator has restored the store,
   * and wants this step. False if it is no longer held, or if its reason cannot be accepted.
   */
  async accept(digest: string): Promise<boolean> {
    const { hold, step } = this.#held ?? {};
    if (hold?.acceptable !== true || step?.digest !== digest) return false;
    await this.#options.memory.accept(remembered(step));
    return true;
  }

  #now(): number {
    return this.#options.clock.now() + this.#storeClock.offset;
  }

  async #readRef(signal: AbortSignal): Promise<Uint8Array> {
    const { look } = await this.#reader.read(this.#key, {
      most: MOST_ENVELOPE_BYTES,
      unless: this.#ref?.etag,
      signal,
    });
    if (look.kind === 'same' && this.#ref !== undefined) return this.#ref.bytes;
    this.#ref = undefined;
    if (look.kind === 'read') {
      this.#ref = { bytes: look.bytes, etag: look.etag };
      return look.bytes;
    }
    if (look.kind === 'absent') {
      throw new RefHeld(
        'missing-ref',
        this.#key,
        `${this.#key} is not in the store`,
        'Deploy to this environment; where its ref was deleted, put it back from the newest object of its log/.',
      );
    }
    throw new RefHeld(
      'damaged-ref',
      this.#key,
      `${this.#key} is longer than a ref may be`,
      'Check which accounts can write below the release root; the next deploy replaces it.',
    );
  }

  /** @returns undefined if the ref must be read again because it may have moved; never on the last attempt */
  async #follow(step: Step, signal: AbortSignal, isLast: boolean): Promise<RefLook | undefined> {
    this.#history.checkMemory(step, this.#key);
    if (this.#inForce?.digest === step.digest) {
      await this.#options.memory.raise(remembered(step));
      this.#armed = undefined;
      return { kind: 'unchanged' };
    }
    const instant = step.payload.notBefore;
    if (this.#armed?.digest === step.digest) {
      if (instant !== undefined && instant > this.#now()) return { kind: 'unchanged' };
      this.#become(step);
      return { kind: 'due', step };
    }
    const after = await this.#history.check(step, this.#key, signal);
    if (after !== undefined) {
      if (!isLast) return undefined;
      throw after;
    }
    // Before the manifest is read: if the manifest is missing, an earlier ref must not be followed instead.
    await this.#options.memory.raise(remembered(step));
    const manifest = await this.#manifestOf(step, signal);
    const release = { step, manifest };
    if (instant === undefined || instant <= this.#now()) {
      this.#become(step);
      return { kind: 'release', release };
    }
    const meanwhile = await this.#meanwhile(step, signal);
    this.#armed = step;
    return { kind: 'armed', release, instant, meanwhile };
  }

  async #manifestOf(step: Step, signal: AbortSignal): Promise<Manifest> {
    const { release, manifest } = step.payload;
    const known = this.#manifests.get(manifest);
    // If the step names this manifest for another release, the manifest is read from the store and judged.
    if (known !== undefined && known.id === release) return known;
    const read = await readManifest(this.#reader, step, signal);
    this.#manifests.keep(manifest, read);
    return read;
  }

  #become(step: Step): void {
    this.#inForce = step;
    this.#armed = undefined;
  }

  /** The release that was in force when `armed` was made, and remains so until its instant. */
  async #meanwhile(armed: Step, signal: AbortSignal): Promise<Meanwhile> {
    try {
      const step = await this.#history.inForceBefore(armed, this.#now(), signal);
      if (step === undefined) return { kind: 'nothing' };
      if (step.digest === this.#inForce?.digest) return { kind: 'unchanged' };
      const manifest = await this.#manifestOf(step, signal);
      this.#inForce = step;
      return { kind: 'release', release: { step, manifest } };
    } catch (error) {
      if (error instanceof RefHeld) return { kind: 'held', hold: error.hold };
      throw error;
    }
  }
}

function remembered({ digest, payload }: Step): {
  readonly sequence: number;
  readonly digest: string;
  readonly created: number;
} {
  return { sequence: payload.sequence, digest, created: payload.created };
}
