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

/** A release that passed all checks: its step, and its files. */
export interface BelievedRelease {
  readonly step: Step;
  readonly manifest: Manifest;
}

/** The result of one look at a ref. Every result except `held` ends a hold. */
export type RefLook =
  /** The result is the same as at the last look that was not `held`. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'release'; readonly release: BelievedRelease }
  /** The release must not be shown before `instant`, in milliseconds since the epoch by the store's clock. */
  | {
      readonly kind: 'armed';
      readonly release: BelievedRelease;
      readonly instant: number;
      readonly meanwhile: Meanwhile;
    }
  /** The instant of the release that was `armed` has come. */
  | { readonly kind: 'due'; readonly step: Step }
  | { readonly kind: 'held'; readonly hold: RefHold };

/** The release to show until the instant of the armed one. */
export type Meanwhile =
  /** The release is that of the last result that was not `held`. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'release'; readonly release: BelievedRelease }
  /** There is no such release, because the armed release is the first one of its environment. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'held'; readonly hold: RefHold };

export interface RefWatchOptions extends StepRules {
  readonly reader: ReleaseReader;
  /** Steps with a lower number are held; 0: no step is held for its number. */
  readonly minSequence: number;
  readonly memory: StepMemory;
  /**
   * The manifests that were read last, shared with other users of them. By default this watch keeps its own.
   */
  readonly manifests?: KnownManifests | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Watches the ref of one environment, and decides which release this node is to show. An account that can
 * write to the bucket can choose every byte that this class reads. Whatever the bytes are, the result is a
 * release or a reason to hold.
 *
 * As long as nothing changes, one look is one conditional GET of the ref. Each look judges the ref again,
 * because the file of allowed signers may have changed. If a line was removed from that file, a step that its
 * key has signed is held.
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

  /** The estimate of the store's clock, from the answers so far. */
  get storeClock(): Pick<StoreClock, 'offset' | 'uncertainty'> {
    return this.#storeClock;
  }

  /**
   * Reads the ref and judges it. Must not be called concurrently. Rejects with StoreError if the store fails:
   * then nothing is known about the ref.
   */
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
      // The armed release is no longer valid. A later look that finds it valid returns it again.
      this.#armed = undefined;
      this.#held = { hold: error.hold, step: judged };
      return { kind: 'held', hold: error.hold };
    }
  }

  /** Makes the next look return the release again, even if nothing has changed. */
  forget(): void {
    this.#inForce = undefined;
    this.#armed = undefined;
  }

  /**
   * Makes the next look follow the held step with this digest, for an operator who has restored the store and
   * wants this step. Returns false if that step is no longer held, or is held for a reason that cannot be
   * accepted.
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

  /**
   * Compares a judged step with earlier steps and the log, and reads its manifest if the step is new.
   *
   * @returns undefined if the ref must be read again because it may have moved; throws instead on the last
   * attempt
   */
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
    // The step is remembered before its manifest is read: if the manifest is missing, an earlier ref must not
    // be followed instead.
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

  /**
   * Returns the release that was in force when `armed` was made, and that stays in force until the instant of
   * `armed`.
   */
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
