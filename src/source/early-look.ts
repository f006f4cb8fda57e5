import type { Clock } from '../base/clock.ts';
import { childOf } from '../base/waiting.ts';
import type { BuildOptions, Built, Look, Source, SourceKind } from './source.ts';

/**
 * An early look that is asked for later than this, in milliseconds, is not used: the rest of the start took
 * long, and the source may have changed.
 */
const LONGEST_MS = 5_000;

/**
 * A source whose first look begins at once, while the rest of a server still starts. The first call of look()
 * gets that look, or its error. Not for a source with a watched key: the key must be read before the look
 * begins.
 */
export class EarlyLook implements Source {
  readonly kind: SourceKind;
  readonly #source: Source;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #ended: ReturnType<typeof childOf>;
  readonly #beganAt: number;
  #begun: Promise<Look> | undefined;
  #isSettled = false;

  /** `over`: aborted when the mount is to end. */
  constructor(source: Source, clock: Pick<Clock, 'now'>, over: AbortSignal) {
    this.kind = source.kind;
    this.#source = source;
    this.#clock = clock;
    this.#ended = childOf(over);
    this.#beganAt = clock.now();
    this.#begun = source.look({ signal: this.#ended.controller.signal });
    const settled = (): void => {
      this.#isSettled = true;
    };
    // The first caller gets the error. There may be none.
    this.#begun.then(settled, settled);
  }

  async look(options: { readonly signal: AbortSignal }): Promise<Look> {
    const begun = this.#begun;
    this.#begun = undefined;
    if (begun === undefined) return this.#source.look(options);
    if (Math.abs(this.#clock.now() - this.#beganAt) > LONGEST_MS) {
      // The source allows no other look beside this one. What it does in the background after a look goes on.
      if (!this.#isSettled) this.end();
      await begun.catch(() => undefined);
      return this.#source.look(options);
    }
    const { signal } = options;
    const { controller } = this.#ended;
    const end = (): void => controller.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    try {
      return { ...(await begun), beganAt: this.#beganAt };
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  build(options: BuildOptions): Promise<Built> {
    return this.#source.build(options);
  }

  accept(digest: string, options: { readonly signal: AbortSignal }): Promise<boolean> {
    return this.#source.accept(digest, options);
  }

  /** Ends the early look, if it has not ended. */
  end(): void {
    this.#ended.release();
    this.#ended.controller.abort(new Error('the early look is not wanted'));
  }
}
