/** The shortest time between two looks that hints cause. */
const APART_MS = 1_000;
/** Within this time hints cause this many looks at most: a flood of them costs little more than polling. */
const WINDOW_MS = 10_000;
const LOOKS = 2;

/** How soon a hint is followed by a look. The first one is followed at once. */
export class HintPace {
  /** When the last looks because of hints began, the newest first. */
  #looks: readonly number[] = [];

  /** Milliseconds. A clock that stepped back makes no wait longer than the window. */
  waitMs(now: number): number {
    const [newest, ...older] = this.#looks;
    const oldest = older[LOOKS - 2];
    return Math.max(left(newest, APART_MS, now), left(oldest, WINDOW_MS, now));
  }

  looked(now: number): void {
    this.#looks = [now, ...this.#looks].slice(0, LOOKS);
  }
}

function left(at: number | undefined, ms: number, now: number): number {
  return at === undefined ? 0 : Math.min(ms, Math.max(0, at + ms - now));
}
