import type { Rank } from './blob.ts';

/** `within` the prefetch bound: kept while shown. `past` it: kept while there is room. */
export type Bound = 'within' | 'past';

const PAST = 1;
const WITHIN = 2;
const SHOWN = PAST | WITHIN;
const PIN = 4;

/** What versions are shown and pinned, by name, whether they are on disk or not. */
export class Claims {
  /** One small number a version: two bits for how it is shown, above them the number of pins. */
  readonly #claims = new Map<string, number>();

  rank(name: string): Rank {
    const claim = this.#claims.get(name) ?? 0;
    if ((claim & WITHIN) !== 0 || claim >= PIN) return 'kept';
    return (claim & PAST) !== 0 ? 'past' : 'hidden';
  }

  isPinned(name: string): boolean {
    return (this.#claims.get(name) ?? 0) >= PIN;
  }

  show(name: string, bound: Bound): void {
    const pins = (this.#claims.get(name) ?? 0) & ~SHOWN;
    this.#claims.set(name, pins | (bound === 'within' ? WITHIN : PAST));
  }

  hide(name: string): void {
    this.#set(name, (this.#claims.get(name) ?? 0) & ~SHOWN);
  }

  pin(name: string): void {
    this.#claims.set(name, (this.#claims.get(name) ?? 0) + PIN);
  }

  /** Harmless for what is not pinned. */
  unpin(name: string): void {
    if (this.isPinned(name)) this.#set(name, this.#claims.get(name)! - PIN);
  }

  #set(name: string, claim: number): void {
    if (claim === 0) this.#claims.delete(name);
    else this.#claims.set(name, claim);
  }
}
