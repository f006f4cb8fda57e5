/** Who says that the source may have something new: a key that is looked at, a queue, or a request over HTTP. */
export type HintOrigin = 'watched-key' | 'queue' | 'webhook';

/**
 * What became of a hint. A hint is a reason to look at the source now, and never what is shown: a forged one costs at
 * most a look, a lost one is made up for by the next poll.
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
