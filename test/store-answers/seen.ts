import type { ProblemReason } from '../../src/tree/index.ts';
import type { Bucket } from './bucket.ts';
import type { Fault } from './wire.ts';

/** Where an answer strikes. */
export type Place =
  /** The listing: of a first start, and of a later revalidation. */
  | 'listing'
  /** The content of a file of the first tree, which is fetched behind it. */
  | 'first'
  /** The new content of a file that changed, together with others. */
  | 'later'
  /** A part of a file over 8 MiB, when somebody reads it. */
  | 'range';

/** Codes of an error, as status and the log have them: one of these. */
export type Codes = readonly string[];

/**
 * What is seen while such answers come. Whatever it is: no byte is wrong, nothing hangs, nothing is internal, nothing
 * unprintable is said, all other files are read; and once the store answers as it should, so does the mount, and it
 * has nothing left to say.
 */
export type Seen =
  /** The new tree, each file with its right bytes, and not a word. */
  | { readonly kind: 'content' }
  /**
   * That object's fault. Its old version is read on for as long as the tree waits; then the tree is shown, with every
   * other change, and reading the file fails, which `problems` says with the key and the store's answer. In the place
   * `range` nothing waits: reading fails.
   */
  | { readonly kind: 'object'; readonly codes: Codes }
  /** The store's fault: the tree stays, a first start is refused, and `degraded` says it. */
  | { readonly kind: 'store'; readonly codes: Codes }
  /** The new tree is held until somebody accepts it. */
  | { readonly kind: 'held' }
  /** The new tree, with one problem of this reason that names the key. */
  | {
      readonly kind: 'named';
      readonly reasons: readonly (ProblemReason | NewReason)[];
      readonly file: 'read' | 'left-out';
    }
  /** Such an answer cannot come here, or is none of a fault here. */
  | { readonly kind: 'not-here'; readonly why: string };

/** Beside those of keys. */
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

/** How an answer strikes. */
export interface Strikes {
  /** Answers to LIST. */
  readonly list?: Fault | undefined;
  /** Answers to GET of the one object, or of each. */
  readonly get?: Fault | undefined;
  /** `all`: not of one object alone, but of each; else of each whose key is such. */
  readonly scope?: 'one' | 'all' | RegExp;
  /** The one object is put so, which is the fault: it ends when it is put as ever. */
  readonly put?: (bucket: Bucket, key: string, body: Buffer) => void;
  /** The fault is told what the store has, whatever condition came with the request: it heeds that by itself. */
  readonly unconditional?: boolean;
  /** The store is so from its first day to its last: nothing ends. */
  readonly lasting?: boolean;
}

export interface Row extends Strikes {
  /** Completes the sentence "the store answers …". */
  readonly name: string;
  readonly seen: Readonly<Record<Place, Seen>>;
  /** What the problem of the one object must hold of the store's answer. */
  readonly told?: RegExp;
}
