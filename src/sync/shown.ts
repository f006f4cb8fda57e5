import type { Built, ReleaseStep } from '../source/source.ts';
import type { ContentVersion, Generation, Problem } from '../tree/index.ts';
import type { ContentState } from './content-state.ts';
import type { PrefetchBound } from './prefetch-bound.ts';
import type { Restored } from './restored.ts';

/** The shown generation and its data. */
export interface Shown {
  readonly generation: Generation;
  readonly content: ContentState;
  readonly bound: PrefetchBound;
  /**
   * The digest of the listing that last matched the generation. Undefined after a start from persisted state,
   * and if some of the content differs from what was listed.
   */
  readonly digest: string | undefined;
  /** Keys left out, or not shown as they should be. */
  readonly problems: readonly Problem[];
  /**
   * How many problems are not listed in `problems`, by reason; undefined after a start from persisted state.
   */
  readonly unnamedProblems?: ReadonlyMap<string, number> | undefined;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  /** For a release: the step that put it in force. */
  readonly release?: ReleaseStep | undefined;
}

/** The problems of a built tree. */
export function problemsOf({
  problems,
  unnamedProblems,
}: Built): Pick<Shown, 'problems' | 'unnamedProblems'> {
  return { problems, unnamedProblems };
}

/**
 * Returns how many problems are not listed, by reason. After a start from persisted state the reason is
 * `unnamed`, because the state has only their number.
 */
export function unnamedProblemsOf({
  generation,
  problems,
  unnamedProblems,
}: Shown): ReadonlyMap<string, number> {
  if (unnamedProblems !== undefined) return unnamedProblems;
  const more = generation.problems - problems.length;
  return more > 0 ? new Map([['unnamed', more]]) : new Map();
}

export interface GenerationSummary {
  /** 32 hex digits. */
  readonly id: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
}

export function summaryOf({
  generation,
  publishedAt,
}: Pick<Shown, 'generation' | 'publishedAt'>): GenerationSummary {
  const { id, number, files, directories, bytes } = generation;
  return { id, number, publishedAt, files, directories, bytes };
}

/** Returns the tree that a session which took over shows before that tree is resumed; undefined if none. */
export function takenOver(restored: Restored | undefined): Restored | undefined {
  return restored?.content === undefined ? undefined : restored;
}

/**
 * Whether two trees have equal ids, the same readable files, and the same places of content. Equal ids are
 * not enough: an object that was restored from an archive keeps its ETag, and a redeployed release may lie in
 * other packs.
 */
export function isSameTree(next: Generation, shown: Generation): boolean {
  if (next.id !== shown.id) return false;
  for (let index = 0; index < next.entries; index++) {
    if (next.isArchived(index) !== shown.isArchived(index)) return false;
    if (!next.samePlace(index, shown, index)) return false;
  }
  return true;
}

/**
 * Whether both show the same step of an environment. Two steps can have the same number, if an operator
 * accepted one after a restore. Then their time or text differs.
 */
export function isSameStep(next: ReleaseStep | undefined, shown: ReleaseStep | undefined): boolean {
  if (next === undefined || shown === undefined) return next === shown;
  return (
    next.sequence === shown.sequence &&
    next.id === shown.id &&
    next.created === shown.created &&
    next.author === shown.author &&
    next.message === shown.message
  );
}

/** Whether the tree shows this very version. */
export function isShown(
  generation: Generation | undefined,
  { path, name }: Pick<ContentVersion, 'path' | 'name'>,
): boolean {
  if (generation === undefined) return false;
  const index = generation.find(path);
  return index > 0 && !generation.isDirectory(index) && generation.versionName(index) === name;
}
