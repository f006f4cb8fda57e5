import type { AbsenceCode, Entry, EntryItem } from './shapes/entries.ts';
import type { PastReleaseView } from './shapes/release.ts';

export interface PageOfEntries {
  /** Made one by one, when they are asked for. */
  readonly items: Iterable<EntryItem>;
  readonly next: string | null;
  /** By which the tree is shown, where the source is a release. */
  readonly release?: PastReleaseView;
}

/** Why a path is not in the tree. */
export interface Absence {
  readonly code: AbsenceCode;
  /** One sentence that names the rule or the reason. */
  readonly detail: string;
  readonly hint: string;
}

/** The tree as it is shown. */
export interface TreeViews {
  /** Of the generation that is shown; undefined before there is one. */
  id(): string | undefined;
  /**
   * One page in byte order of the paths. Undefined before there is a tree.
   *
   * @param after a path: what comes after it; it need not be there any more
   */
  page(
    prefix: string,
    after: string | undefined,
    limit: number,
  ): Promise<(PageOfEntries & { readonly id: string }) | undefined>;
  /** Undefined before there is a tree. Rejects with the signal's reason. */
  entry(path: string, signal: AbortSignal): Promise<Entry | Absence | undefined>;
}
