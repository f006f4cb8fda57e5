/**
 * Records since when the first store has failed, or has answered. These times decide where trees are read
 * from.
 */
export class ReachRecord {
  #failingSince: number | undefined;
  #answeringSince: number | undefined;

  failed(now: number): void {
    this.#failingSince = since(this.#failingSince, now);
    this.#answeringSince = undefined;
  }

  answered(now: number): void {
    this.#answeringSince = since(this.#answeringSince, now);
    this.#failingSince = undefined;
  }

  /** Milliseconds for which the store has failed, without an answer in between. */
  failingMs(now: number): number {
    return this.#failingSince === undefined ? 0 : Math.max(0, now - this.#failingSince);
  }

  /** Milliseconds for which the store has answered, without a failure in between. */
  answeringMs(now: number): number {
    return this.#answeringSince === undefined ? 0 : Math.max(0, now - this.#answeringSince);
  }
}

/**
 * Returns the time `before`, or `now` if there is none. If the clock stepped back, the time starts again at
 * `now`.
 */
function since(before: number | undefined, now: number): number {
  return before === undefined || before > now ? now : before;
}
