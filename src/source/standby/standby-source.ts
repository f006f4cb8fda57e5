import type { Logger } from '../../base/logger.ts';
import type { BuildOptions, Built, Look, Source, SourceHold, SourceKind } from '../source.ts';
import { firstBehind, firstHold, wordsOf } from './going-back.ts';
import { type Place, PlaceJudge, type PlaceJudgeOptions } from './place-judge.ts';
import { ReachRecord } from './reach-record.ts';
import type { StandbyView } from './standby-view.ts';
import type { SwitchedContent } from './switched-content.ts';

export interface StandbyPlace extends Place {
  /** Sends one request, which shows whether the standby could be used. Rejects with the store's error. */
  check(signal: AbortSignal): Promise<void>;
}

export interface StandbySourceOptions extends PlaceJudgeOptions {
  /**
   * The standbys, in the order in which they are tried. A standby is opened when it is first needed. If that
   * fails, the next use tries to open it again.
   */
  readonly standbys: readonly { readonly name: string; readonly open: () => Promise<StandbyPlace> }[];
  readonly content: Pick<SwitchedContent, 'use'>;
  /** How long the first store must fail before a standby is used. */
  readonly afterMs: number;
  /** Whether an error says that a store cannot be reached. */
  readonly isDown: (error: unknown) => boolean;
  readonly onChange: (view: StandbyView) => void;
  readonly log: Logger;
}

/** How long the first store must have answered before trees come from it again. */
const BACK_AFTER_MS = 60_000;
const CHECK_EVERY_MS = 86_400_000;

const LACKS = 'does not have what is shown';

/**
 * Reads trees from a first store, and from a standby store while the first one cannot be reached. A switch,
 * in either direction, never shows an older tree: the older listing is held, or the standby stays in use.
 * While the first store answers, each standby gets one request a day.
 */
export class StandbySource implements Source {
  readonly kind: SourceKind;
  readonly #options: StandbySourceOptions;
  readonly #reach = new ReachRecord();
  readonly #judge: PlaceJudge;
  readonly #opened = new Map<number, StandbyPlace>();
  #active: Place;
  #probe: Promise<void> | undefined;
  #checking: Promise<void> | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #view: StandbyView;
  #toldCode: string | undefined;

  constructor(options: StandbySourceOptions) {
    const { first, standbys } = options;
    this.#options = options;
    this.kind = first.source.kind;
    this.#judge = new PlaceJudge(options);
    this.#active = first;
    this.#view = {
      source: standbys[0]?.name ?? first.name,
      isActive: false,
      since: undefined,
      checked: undefined,
      firstIsBehind: undefined,
    };
  }

  get view(): StandbyView {
    return this.#view;
  }

  async look({ signal }: { readonly signal: AbortSignal }): Promise<Look> {
    const { first } = this.#options;
    if (this.#active !== first) return this.#lookWhileAway(signal);
    try {
      const look = await this.#lookAt(first, signal);
      this.#reach.answered(this.#now());
      this.#checkDaily(signal);
      if (look.kind === 'held' && this.#judge.isBehind(first, look.hold)) {
        return await this.#goOnAway(look, look.hold, signal);
      }
      if (this.#view.firstIsBehind !== undefined) this.#change({ firstIsBehind: undefined });
      return look;
    } catch (error) {
      if (!this.#noteFailure(error, signal)) throw error;
      if (this.#reach.failingMs(this.#now()) < this.#options.afterMs) throw error;
      return this.#lookAtStandbys(error, signal);
    }
  }

  build(options: BuildOptions): Promise<Built> {
    return this.#judge.build(options, this.#active);
  }

  accept(digest: string, options: { readonly signal: AbortSignal }): Promise<boolean> {
    return this.#judge.accept(this.#active, digest, options);
  }

  /** Resolves when no background request is in progress. */
  async idle(): Promise<void> {
    await Promise.all([this.#probe, this.#checking]);
  }

  /**
   * Looks at the standbys, because an earlier process took the shown tree from a standby, and the first store
   * does not have that tree yet. Returns a hold if no standby answers.
   */
  async #goOnAway(look: Look, hold: SourceHold, signal: AbortSignal): Promise<Look> {
    this.#noteBehind(firstBehind(hold), LACKS);
    try {
      return await this.#lookAtStandbys(undefined, signal);
    } catch {
      signal.throwIfAborted();
      return { ...look, kind: 'held', hold: firstHold(hold) };
    }
  }

  #noteBehind(detail: string, what: string): void {
    if (this.#view.firstIsBehind === detail) return;
    this.#options.log.warn(
      { event: 'first-behind', detail },
      `the first source answers again, but ${what}; trees still come from the standby`,
    );
    this.#change({ firstIsBehind: detail });
  }

  async #lookWhileAway(signal: AbortSignal): Promise<Look> {
    this.#probeFirst(signal);
    if (this.#reach.answeringMs(this.#now()) >= BACK_AFTER_MS) {
      const look = await this.#lookBack(signal);
      if (look !== undefined) return look;
    }
    try {
      return await this.#lookAtStandbys(undefined, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The first store may be back already. Without a standby there is no reason to wait until it has
      // answered for a minute.
      const look = await this.#lookBack(signal);
      if (look !== undefined) return look;
      throw error;
    }
  }

  /**
   * Looks at the first store, and switches back to it. Returns undefined if the look fails, or if the tree
   * would go back in time.
   */
  async #lookBack(signal: AbortSignal): Promise<Look | undefined> {
    const { first } = this.#options;
    // Wait for the probe: if two looks at one source are concurrent, each withdraws the listing of the other.
    await this.#probe;
    try {
      const look = await this.#lookAt(first, signal);
      this.#reach.answered(this.#now());
      if (look.kind !== 'held') {
        this.#activate(first);
        return look;
      }
      this.#noteBehind(firstBehind(look.hold), LACKS);
    } catch (error) {
      signal.throwIfAborted();
      // Whatever is wrong with the first store, the standby has what is shown, so this does not reject.
      if (!this.#noteFailure(error, signal)) this.#noteBehind(wordsOf(error), 'cannot be followed');
    }
    return undefined;
  }

  /**
   * Looks at the standbys until one has something to show, and switches to it. If none has, switches to the
   * first one that answered, and returns its hold. If none answers, rejects with `error`, or with the first
   * failure if `error` is undefined.
   */
  async #lookAtStandbys(error: unknown, signal: AbortSignal): Promise<Look> {
    let failed = error;
    let held: { readonly place: Place; readonly look: Look } | undefined;
    for (const index of this.#inOrder()) {
      try {
        const place = await this.#open(index);
        const look = await this.#lookAt(place, signal);
        if (look.kind === 'held') {
          held ??= { place, look };
          continue;
        }
        this.#activate(place);
        return look;
      } catch (failure) {
        signal.throwIfAborted();
        this.#tellUnusable(index, failure);
        failed ??= failure;
      }
    }
    if (held === undefined) throw failed;
    this.#activate(held.place);
    return held.look;
  }

  /**
   * Returns the numbers of the standbys. The active one comes first, because the others may still be down.
   */
  #inOrder(): readonly number[] {
    const all = [...this.#options.standbys.keys()];
    const isActive = (index: number): boolean => this.#opened.get(index) === this.#active;
    return [...all.filter(isActive), ...all.filter((index) => !isActive(index))];
  }

  async #lookAt(place: Place, signal: AbortSignal): Promise<Look> {
    const look = await this.#judge.look(place, signal);
    if (place === this.#active) this.#options.content.use(place.content, this.#judge.sameOf(place));
    return look;
  }

  /**
   * Returns whether the error says that the first store cannot be reached, and records that. Only then is a
   * standby used.
   */
  #noteFailure(error: unknown, signal: AbortSignal): boolean {
    if (signal.aborted || !this.#options.isDown(error)) return false;
    this.#reach.failed(this.#now());
    return true;
  }

  /**
   * Looks at the first store in the background, one look at a time, because a store that is down may take
   * long to fail.
   */
  #probeFirst(signal: AbortSignal): void {
    if (this.#probe !== undefined) return;
    this.#probe = this.#options.first.source
      .look({ signal })
      .then(
        () => this.#reach.answered(this.#now()),
        () => {
          if (!signal.aborted) this.#reach.failed(this.#now());
        },
      )
      .finally(() => {
        this.#probe = undefined;
      });
  }

  #activate(place: Place): void {
    if (place === this.#active) return;
    const { first, log, content } = this.#options;
    this.#active = place;
    content.use(place.content, this.#judge.sameOf(place));
    if (place === first) {
      log.info({ event: 'standby-left', source: first.name }, 'trees come from the first source again');
      this.#change({ isActive: false, since: undefined, firstIsBehind: undefined });
      return;
    }
    log.warn(
      { event: 'standby-taken', source: place.name },
      'the first source cannot be reached; trees come from a standby',
    );
    this.#change({ isActive: true, source: place.name, since: this.#view.since ?? this.#now() });
  }

  async #open(index: number): Promise<StandbyPlace> {
    const known = this.#opened.get(index);
    if (known !== undefined) return known;
    const place = await this.#options.standbys[index]!.open();
    this.#opened.set(index, place);
    return place;
  }

  /** Checks the standbys once a day, in the background. */
  #checkDaily(signal: AbortSignal): void {
    const now = this.#now();
    if (Math.abs(now - this.#checkedAt) < CHECK_EVERY_MS) return;
    this.#checkedAt = now;
    this.#checking = this.#check(signal);
  }

  async #check(signal: AbortSignal): Promise<void> {
    for (const index of this.#options.standbys.keys()) {
      let error: string | undefined;
      try {
        await (await this.#open(index)).check(signal);
      } catch (failure) {
        if (signal.aborted) return;
        error = wordsOf(failure);
        this.#tellUnusable(index, failure);
      }
      // Status shows the first standby; the log shows all of them.
      if (index === 0) this.#change({ checked: { at: this.#now(), error } });
    }
  }

  #tellUnusable(index: number, error: unknown): void {
    const { standbys, log } = this.#options;
    const source = standbys[index]!.name;
    const detail = wordsOf(error);
    const line = { event: 'standby-unusable', source, detail } as const;
    const message = 'a standby source cannot be used';
    const code = `${index} ${detail}`;
    if (code === this.#toldCode) log.debug(line, message);
    else log.warn(line, message);
    this.#toldCode = code;
  }

  #change(changes: Partial<StandbyView>): void {
    this.#view = { ...this.#view, ...changes };
    this.#options.onChange(this.#view);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
