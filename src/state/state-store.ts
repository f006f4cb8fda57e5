import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Instant } from '../sync/instant.ts';
import type { Persister, PersistTrouble, TakeoverState } from '../sync/ports.ts';
import { ColdStartFile } from './cold-start-file.ts';
import type { StateIdentity } from './saved-state.ts';
import { encodeBody } from './state-body.ts';
import { type StateImage, sealedImage } from './state-file.ts';
import { commitHead } from './state-header.ts';
import { TakeoverFile } from './takeover-file.ts';

export interface StateStoreOptions {
  /** The directory of this mount, or of one of its trees, on a tmpfs. No other mount uses it. */
  readonly runtimeDirectory: string;
  /** The directory of this mount, or of one of its trees. No other mount uses it. */
  readonly cacheDirectory: string;
  readonly identity: StateIdentity;
  /** Whether the cache directory's state is as new as the runtime directory's. */
  readonly inCache: boolean | (() => Promise<boolean>);
  readonly clock: Clock;
  readonly log: Logger;
}

interface Closing {
  readonly unmounted: boolean;
  readonly discards?: boolean | undefined;
}

/**
 * Stores the state of each publication twice: in the runtime directory for a successor, and in the cache
 * directory for a start after a reboot.
 */
export class StateStore implements Persister {
  readonly #identity: StateIdentity;
  readonly #takeover: TakeoverFile;
  readonly #coldStart: ColdStartFile;
  #image: StateImage | undefined;

  constructor({ runtimeDirectory, cacheDirectory, identity, inCache, clock, log }: StateStoreOptions) {
    this.#identity = identity;
    this.#takeover = new TakeoverFile(runtimeDirectory, log);
    this.#coldStart = new ColdStartFile(cacheDirectory, inCache, clock, log);
  }

  get troubles(): readonly PersistTrouble[] {
    const names = [this.#takeover.trouble.name, this.#coldStart.trouble.name];
    return names.filter((name) => name !== undefined);
  }

  async persist(state: TakeoverState): Promise<void> {
    this.#image = await sealedImage(this.#identity.mountId, await encodeBody(state, this.#identity));
    await this.#takeover.write(this.#image);
    await this.#coldStart.write(this.#image);
  }

  async commit(instant: Instant): Promise<void> {
    if (this.#image === undefined) throw new Error('there is no state to commit');
    const record = commitHead(this.#image.head, instant);
    this.#takeover.commit(record);
    await this.#coldStart.commit(Uint8Array.from(record));
  }

  acknowledged(): void {
    this.#takeover.acknowledged();
    // Keeps only the head. The body has the tree, which is large, and which the part that shows it keeps.
    if (this.#image !== undefined) this.#image = { head: this.#image.head, body: [] };
  }

  /**
   * Tells a successor which content of the shown tree is verified. `number`: of the generation. `fingerprints`: one for
   * each entry.
   */
  recordVerified(number: number, fingerprints: BigUint64Array): void {
    this.#takeover.recordVerified(number, fingerprints);
  }

  /** Removes that record: a server that makes the mount verifies again. */
  forgetVerified(): void {
    this.#takeover.forgetVerified();
  }

  /**
   * Closes the files. `unmounted` means that the kernel holds nothing of the mount any more. The state for a
   * successor is then removed, too, if the state for a cold start is as new. `discards` means that no later
   * start may use the state: both are removed.
   */
  async close({ unmounted, discards }: Closing): Promise<void> {
    await (discards ? this.#coldStart.discard() : this.#coldStart.close());
    await this.#takeover.close();
    if (unmounted) this.forgetVerified();
    if (discards || (unmounted && this.#coldStart.isCurrent)) this.#takeover.remove();
  }
}
