import type { AbsenceCode, Entry, EntryItem } from './shapes/entries.ts';
import type { PastReleaseView } from './shapes/release.ts';

export interface PageOfEntries {
  /** The entries, each of which is made when it is consumed. */
  readonly items: Iterable<EntryItem>;
  readonly next: string | null;
  /** The step that the tree shows, if the source is a release. */
  readonly release?: PastReleaseView;
}

/** Why a path is not in the tree. */
export interface Absence {
  readonly code: AbsenceCode;
  /** One sentence that names the rule or the reason. */
  readonly detail: string;
  readonly hint: string;
}

/**
 * The shown tree, or with `version` the tree of that version. Throws RefusedRequest if the mount does not
 * show that version.
 */
export interface TreeViews {
  /** Returns the id of the shown generation; undefined before the first generation. */
  id(version?: string): string | undefined;
  /**
   * Returns a page of the entries, in byte order of their paths; undefined before there is a tree.
   *
   * @param after the page starts after this path, which may have been removed
   */
  page(
    prefix: string,
    after: string | undefined,
    limit: number,
    version?: string,
  ): Promise<(PageOfEntries & { readonly id: string }) | undefined>;
  /**
   * Returns what is known about a path; undefined before there is a tree. Rejects with the signal's reason if
   * it aborts.
   */
  entry(path: string, signal: AbortSignal, version?: string): Promise<Entry | Absence | undefined>;
}
