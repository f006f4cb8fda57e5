import type { Yielder } from '../base/yielder.ts';
import type { Armed, Built } from '../source/source.ts';
import type { Generation } from '../tree/index.ts';
import { hideContent, newFiles } from './cache-visibility.ts';
import type { ContentCachePort } from './ports.ts';

/**
 * Work on an armed tree continues this long before its instant: the tree is built again, made local, and
 * persisted up to the last write. The remaining work takes milliseconds.
 */
const LEAD_MS = 2_000;
/** Added to LEAD_MS for each file: a million files take some seconds to build and persist. */
const LEAD_MS_PER_FILE = 0.01;

/**
 * Keeps the armed tree, which is to be shown at an instant. Its content is fetched as soon as the tree is
 * known, and stays in the cache.
 */
export class ArmedTree {
  readonly #cache: Pick<ContentCachePort, 'hide'>;
  #armed: Armed | undefined;
  /** The tree whose content the cache keeps as if it were shown. */
  #kept: { readonly digest: string; readonly built: Built } | undefined;

  constructor(cache: Pick<ContentCachePort, 'hide'>) {
    this.#cache = cache;
  }

  get view(): Armed | undefined {
    return this.#armed;
  }

  /** When to continue work on the armed tree, in milliseconds since the epoch; infinite if there is none. */
  get dueAt(): number {
    if (this.#armed === undefined) return Number.POSITIVE_INFINITY;
    const { candidate, at } = this.#armed;
    return at - LEAD_MS - LEAD_MS_PER_FILE * candidate.objects;
  }

  /**
   * Returns when the next look is due after `time`, in milliseconds since the epoch; infinite if none is. One
   * is due when work must continue, and one at the instant. The second shows the tree if the first could not,
   * for instance because the store did not answer.
   */
  dueAfter(time: number): number {
    const due = [this.dueAt, this.#armed?.at].find((at) => at !== undefined && at > time);
    return due ?? Number.POSITIVE_INFINITY;
  }

  isKept({ digest }: Armed['candidate']): boolean {
    return this.#kept?.digest === digest;
  }

  arm(armed: Armed): void {
    this.#armed = armed;
  }

  keep(digest: string, built: Built): void {
    this.#kept = { digest, built };
  }

  /**
   * Call this if the armed tree is cancelled or replaced. Stops keeping its content, except content that is
   * shown.
   */
  async release(shown: Generation | undefined, yielder: Yielder): Promise<void> {
    const kept = this.#kept;
    this.#armed = undefined;
    this.#kept = undefined;
    if (kept?.built.changes === undefined) return;
    await hideContent(this.#cache, kept.built.generation, newFiles(kept.built), shown, yielder);
  }
}
