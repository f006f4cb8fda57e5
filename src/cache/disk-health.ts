import { RETRIES } from '../base/retry/retry-policies.ts';
import { isShortOfRoom } from '../base/system-error.ts';
import type { Clock } from './ports.ts';

export type DiskTrouble = 'cache-full' | 'cache-unwritable';

/** Whether the cache's disk accepts writes. */
export class DiskHealth {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onChange: (trouble: DiskTrouble | undefined, code: string | undefined) => void;
  #trouble: DiskTrouble | undefined;
  #triedAt = 0;

  constructor(
    clock: Pick<Clock, 'now'>,
    onChange: (trouble: DiskTrouble | undefined, code: string | undefined) => void,
  ) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get trouble(): DiskTrouble | undefined {
    return this.#trouble;
  }

  /** Whether to try a write now. Always on a healthy disk; at intervals on a disk that failed. */
  mayWrite(): boolean {
    if (this.#trouble === undefined) return true;
    const since = this.#clock.now() - this.#triedAt;
    // A clock that stepped back must not stop the retries.
    if (since >= 0 && since < RETRIES.disk.pauses.leastMs) return false;
    this.#triedAt = this.#clock.now();
    return true;
  }

  wrote(): void {
    this.#set(undefined, undefined);
  }

  /** Notes that an operation failed. `code`: the errno's name. */
  failed(code: string): void {
    this.#triedAt = this.#clock.now();
    this.#set(isShortOfRoom(code) ? 'cache-full' : 'cache-unwritable', code);
  }

  #set(trouble: DiskTrouble | undefined, code: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#onChange(trouble, code);
  }
}
