import type { ProblemReason } from '../../src/tree/index.ts';
import type { Bucket } from './bucket.ts';
import type { Fault } from './wire.ts';

/** Where a faulty answer strikes. */
export type Place =
  /** The listing, of a first start and of a later revalidation. */
  | 'listing'
  /** The content of a file of the first tree, which is fetched after the tree is shown. */
  | 'first'
  /** The new content of a file that changed, together with others. */
  | 'later'
  /** A part of a file over 8 MiB, when a reader asks for it. */
  | 'range';

/** Codes of an error, as in status and in the log. One of them is seen. */
export type Codes = readonly string[];

/**
 * What is seen while such answers come. In every case, no byte is wrong, nothing hangs, no error is internal, all text
 * can be printed, and all other files can be read. Once the store answers as it should, the mount works as it should,
 * and reports nothing any more.
 */
export type Seen =
  /** The new tree, each file with its right bytes, and no message. */
  | { readonly kind: 'content' }
  /**
   * The object is at fault. Its old version can be read as long as the tree waits. Then the tree is shown with every
   * other change, reading the file fails, and `problems` names the key and the store's answer. In the place `range`,
   * nothing waits: reading fails.
   */
  | { readonly kind: 'object'; readonly codes: Codes }
  /** The store is at fault: the tree stays, a first start is refused, and `degraded` says so. */
  | { readonly kind: 'store'; readonly codes: Codes }
  /** The new tree is held until an operator accepts it. */
  | { readonly kind: 'held' }
  /** The new tree, with one problem of this reason that names the key. */
  | {
      readonly kind: 'named';
      readonly reasons: readonly (ProblemReason | NewReason)[];
      readonly file: 'read' | 'left-out';
    }
  /** Such an answer cannot come here, or is no fault here. */
  | { readonly kind: 'not-here'; readonly why: string };

/** Reasons besides those of keys. */
type NewReason = 'unreadable-object' | 'bad-date' | 'bad-size' | 'no-version';

export const content: Seen = { kind: 'content' };
export const held: Seen = { kind: 'held' };
export const object = (...codes: Codes): Seen => ({ kind: 'object', codes });
export const store = (...codes: Codes): Seen => ({ kind: 'store', codes });
export const notHere = (why: string): Seen => ({ kind: 'not-here', why });
export const named = (...reasons: readonly (ProblemReason | NewReason)[]): Seen => ({
  kind: 'named',
  reasons,
  file: 'read',
});
export const leftOut = (...reasons: readonly (ProblemReason | NewReason)[]): Seen => ({
  kind: 'named',
  reasons,
  file: 'left-out',
});

/** How a faulty answer strikes. */
export interface Strikes {
  /** Answers to LIST. */
  readonly list?: Fault | undefined;
  /** Answers to GET of the one object, or of each. */
  readonly get?: Fault | undefined;
  /** `one`: for the one object alone; `all`: for each object; else: for each object whose key matches. */
  readonly scope?: 'one' | 'all' | RegExp;
  /** Puts the one object in a faulty way. The fault ends when the object is put as usual. */
  readonly put?: (bucket: Bucket, key: string, body: Buffer) => void;
  /** The fault gets what the store has, whatever the request's condition is, and checks the condition itself. */
  readonly unconditional?: boolean;
  /** The store is always so: the fault never ends. */
  readonly lasting?: boolean;
}

export interface Row extends Strikes {
  /** Completes the sentence "the store answers …". */
  readonly name: string;
  readonly seen: Readonly<Record<Place, Seen>>;
  /** What the problem of the one object must contain of the store's answer. */
  readonly told?: RegExp;
}
