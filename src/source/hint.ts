/**
 * The origin of a hint. A hint says that the source may have changed. It comes from the watched key, a queue,
 * or a request over HTTP.
 */
export type HintOrigin = 'watched-key' | 'queue' | 'webhook';

/**
 * The outcome of a hint. A hint makes dagmount check the source now, and never decides what is shown. A forged hint
 * costs at most one check, and the next poll finds the change that a lost hint was about.
 */
export type HintOutcome =
  /** The source is checked; one check serves all hints that came before it. */
  | 'taken'
  /** The hint is about another bucket or key. */
  | 'foreign'
  /** The hint is not proven, came twice, or came too fast. */
  | 'refused'
  /** The hint cannot be understood, or its origin cannot be read. */
  | 'failed';

/** Called for every hint, or once for `count` hints with the same outcome. */
export type HintObserver = (origin: HintOrigin, outcome: HintOutcome, count?: number) => void;
