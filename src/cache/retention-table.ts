import type { Rank } from './blob.ts';

/**
 * Where a shown file lies. `within` the prefetch bound: its content is kept while the file is shown. `past`
 * the bound: its content is kept while there is room.
 */
export type Bound = 'within' | 'past';

const PAST = 1;
const WITHIN = 2;
const SHOWN = PAST | WITHIN;
const PIN = 4;

/** Notes for each version, by its name, how it is shown and pinned, whether or not its content is on disk. */
export class RetentionTable {
  /** One small integer per version: two bits for how it is shown, above them the number of pins. */
  readonly #retention = new Map<string, number>();
  /** The number of trees beside the current one that have the version. */
  readonly #beside = new Map<string, number>();

  rank(name: string): Rank {
    const claim = this.#retention.get(name) ?? 0;
    if ((claim & WITHIN) !== 0 || claim >= PIN) return 'kept';
    if ((claim & PAST) !== 0) return 'past';
    return this.#beside.has(name) ? 'beside' : 'hidden';
  }

  isPinned(name: string): boolean {
    return (this.#retention.get(name) ?? 0) >= PIN;
  }

  show(name: string, bound: Bound): void {
    const pins = (this.#retention.get(name) ?? 0) & ~SHOWN;
    this.#retention.set(name, pins | (bound === 'within' ? WITHIN : PAST));
  }

  hide(name: string): void {
    this.#set(name, (this.#retention.get(name) ?? 0) & ~SHOWN);
  }

  showBeside(name: string): void {
    this.#beside.set(name, (this.#beside.get(name) ?? 0) + 1);
  }

  /** To be called as often as showBeside(). */
  hideBeside(name: string): void {
    const trees = this.#beside.get(name) ?? 0;
    if (trees > 1) this.#beside.set(name, trees - 1);
    else this.#beside.delete(name);
  }

  pin(name: string): void {
    this.#retention.set(name, (this.#retention.get(name) ?? 0) + PIN);
  }

  /** Removes one pin. No effect on a version that is not pinned. */
  unpin(name: string): void {
    if (this.isPinned(name)) this.#set(name, this.#retention.get(name)! - PIN);
  }

  #set(name: string, claim: number): void {
    if (claim === 0) this.#retention.delete(name);
    else this.#retention.set(name, claim);
  }
}
