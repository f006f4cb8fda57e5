import type { Problem } from '../tree/index.ts';

/**
 * Joins the problems of a tree and of unreadable objects. Returns the same array until one of the two
 * changes, so that consumers sort it once.
 */
export class JoinedProblems {
  #of: readonly unknown[] = [];
  #all: readonly Problem[] = [];

  join(ofTree: readonly Problem[], unreadable: readonly Problem[]): readonly Problem[] {
    if (unreadable.length === 0) return ofTree;
    if (this.#of[0] !== ofTree || this.#of[1] !== unreadable) {
      this.#of = [ofTree, unreadable];
      this.#all = [...ofTree, ...unreadable];
    }
    return this.#all;
  }
}
