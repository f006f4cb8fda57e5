/** Where a hint that the source may have changed came from: the watched key, a queue, or a request over HTTP. */
export type HintOrigin = 'watched-key' | 'queue' | 'webhook';

/**
 * What became of a hint. A hint makes dagmount check the source now, and never decides what is shown: a forged hint costs at
 * most one check, and the next poll finds what a lost one was about.
 */
export type HintOutcome =
  /** The source is looked at; one look serves all hints that came before it. */
  | 'taken'
  /** It is about another bucket or key. */
  | 'foreign'
  /** It is not proven, came twice, or came too fast. */
  | 'refused'
  /** It cannot be understood, or not be asked for. */
  | 'failed';

/** Is told of every hint. */
export type HintObserver = (origin: HintOrigin, outcome: HintOutcome, count?: number) => void;
