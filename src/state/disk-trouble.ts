import type { Logger } from '../base/logger.ts';
import { isShortOfRoom } from '../base/system-error.ts';
import type { PersistTrouble } from '../sync/ports.ts';

/** Tracks whether writes to one file fail. Logs when they begin to fail, and when they succeed again. */
export class DiskTrouble {
  readonly #file: string;
  readonly #names: { readonly full: PersistTrouble; readonly unwritable: PersistTrouble };
  readonly #log: Logger;
  #code: string | undefined;

  constructor(
    file: string,
    names: { readonly full: PersistTrouble; readonly unwritable: PersistTrouble },
    log: Logger,
  ) {
    this.#file = file;
    this.#names = names;
    this.#log = log;
  }

  get name(): PersistTrouble | undefined {
    if (this.#code === undefined) return undefined;
    return isShortOfRoom(this.#code) ? this.#names.full : this.#names.unwritable;
  }

  /** `code`: the name of the errno. */
  failed(code: string): void {
    if (this.#code === code) return;
    this.#code = code;
    this.#log.warn(
      { event: 'state-not-kept', file: this.#file, code, degraded: this.name },
      'the shown tree cannot be stored for a restart; it is published anyway',
    );
  }

  wrote(): void {
    if (this.#code === undefined) return;
    this.#code = undefined;
    this.#log.info(
      { event: 'state-kept', file: this.#file },
      'the shown tree can be stored for a restart again',
    );
  }
}
