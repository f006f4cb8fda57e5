import type { AbsenceCode, Entry, EntryItem } from './shapes/entries.ts';
import type { PastReleaseView } from './shapes/release.ts';

export interface PageOfEntries {
  /** Made one by one, as they are consumed. */
  readonly items: Iterable<EntryItem>;
  readonly next: string | null;
  /** The step of the tree, if the source is a release. */
  readonly release?: PastReleaseView;
}

/** Why a path is not in the tree. */
export interface Absence {
  readonly code: AbsenceCode;
  /** One sentence that names the rule or the reason. */
  readonly detail: string;
  readonly hint: string;
}

/** The shown tree, or with `version` the tree of that version. Throws RefusedRequest if it is not shown. */
export interface TreeViews {
  /** The id of the shown generation; undefined before the first. */
  id(version?: string): string | undefined;
  /**
   * One page in byte order of the paths. Undefined before there is a tree.
   *
   * @param after the page starts after this path, which may have been removed
   */
  page(
    prefix: string,
    after: string | undefined,
    limit: number,
    version?: string,
  ): Promise<(PageOfEntries & { readonly id: string }) | undefined>;
  /** Undefined before there is a tree. Rejects with the signal's reason. */
  entry(path: string, signal: AbortSignal, version?: string): Promise<Entry | Absence | undefined>;
}
