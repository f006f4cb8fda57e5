/** The shortest time between two looks that hints cause. */
const APART_MS = 1_000;
/**
 * Within WINDOW_MS, hints cause at most this many looks (LOOKS), so that a flood of hints costs little more
 * than polling.
 */
const WINDOW_MS = 10_000;
const LOOKS = 2;
/** Hints that are less than this apart belong to one burst. */
const QUIET_MS = 2_000;
/** After its first looks, a burst that does not end gets a look this often. */
const LONGEST_MS = 30_000;

/**
 * Decides how soon a look at the source follows a hint. A look follows the first hint at once. A burst gets
 * two looks, and one more when it has ended. A burst that does not end gets another look every LONGEST_MS.
 */
export class HintPace {
  /** When the last looks began that hints caused, the newest first. */
  #looks: readonly number[] = [];
  /** When the last hint came. */
  #hintedAt: number | undefined;
  #looksOfBurst = 0;

  hinted(now: number): void {
    if (this.#hintedAt === undefined || now - this.#hintedAt >= QUIET_MS) this.#looksOfBurst = 0;
    this.#hintedAt = now;
  }

  /**
   * Returns the milliseconds until a look may begin; later hints may make that longer. If a recorded time is
   * in the future because the clock stepped back, it is ignored.
   */
  waitMs(now: number): number {
    const [newest, ...older] = this.#looks;
    const oldest = older[LOOKS - 2];
    const paced = Math.max(left(newest, APART_MS, now), left(oldest, WINDOW_MS, now));
    if (this.#looksOfBurst < LOOKS) return paced;
    return Math.max(paced, Math.min(left(this.#hintedAt, QUIET_MS, now), left(newest, LONGEST_MS, now)));
  }

  looked(now: number): void {
    this.#looks = [now, ...this.#looks].slice(0, LOOKS);
    this.#looksOfBurst += 1;
  }
}

function left(at: number | undefined, ms: number, now: number): number {
  return at === undefined || at > now ? 0 : Math.max(0, at + ms - now);
}
