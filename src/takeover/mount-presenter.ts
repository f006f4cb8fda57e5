import type { Logger } from '../base/logger.ts';
import type { Connection } from '../session/connection.ts';
import type { Driver } from '../session/driver.ts';
import { MountMark } from '../session/fuse-native/mount-mark.ts';
import { type Presentation, type Serving, servedTree, type VersionsServed } from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import type { Naming } from '../session/naming.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { Presenter, Publication } from '../sync/ports.ts';
import type { Inherited } from './take-over.ts';

export interface MountPresenterOptions {
  readonly session: SessionClient;
  readonly driver: Driver;
  readonly target: string;
  readonly naming: Naming;
  readonly allowOther: boolean;
  readonly allowIdmap: boolean;
  readonly replacesStale: boolean;
  readonly presentation: Presentation;
  /** Undefined: the current tree is the whole mount. */
  readonly versions: () => VersionsServed | undefined;
  readonly cacheDirectory: string;
  /** Memory for a Journal. */
  readonly journal: number | undefined;
  readonly log: Logger;
  /** The mount exists and is served. */
  readonly onMounted: (serving: Serving) => void;
  /** The kept tree is shown: a successor can resume from here, although this server has not fully started. */
  readonly onKeptShown: (serving: Serving) => void;
  /** A new mount was made, or the session is about to make it; no request was answered yet. */
  readonly onOpened: (connection: Connection) => void;
  /** Aborted when the mount should end. */
  readonly over: AbortSignal;
  /** The resumed connection; undefined if a new mount is needed. */
  readonly inherited: Inherited | undefined;
}

type ShownTree = Pick<Publication, 'generation' | 'fingerprints'>;

/** Shows generations through the kernel: mounts the first, and swaps in each later one. */
export class MountPresenter implements Presenter {
  readonly #options: MountPresenterOptions;
  #released: (nodeIds: readonly number[]) => void = () => undefined;
  #mounted = false;
  /** The first tree to be published is already shown. */
  #early: Promise<Serving> | undefined;

  constructor(options: MountPresenterOptions) {
    this.#options = options;
    this.#early = options.inherited?.serving;
  }

  get mounted(): boolean {
    return this.#mounted;
  }

  /** Mounts a kept tree while the rest of the server starts. The first publication must be of this tree. */
  showKept(kept: ShownTree): void {
    const early = this.#startMount(kept, true);
    this.#early = early;
    // Awaited with the first publication, which reports a failure.
    early.then(this.#options.onKeptShown).catch(() => undefined);
  }

  async publish(publication: Publication): Promise<{ readonly notifyMs: number } | undefined> {
    if (this.#early !== undefined) {
      const early = this.#early;
      this.#early = undefined;
      this.#mounted = true;
      this.#options.onMounted(await this.#unlessStuckAtEnd(early));
      return undefined;
    }
    if (!this.#mounted) {
      await this.#mount(publication);
      return undefined;
    }
    const { session, log } = this.#options;
    const outcome = await this.#unlessStuckAtEnd(session.publish(publication));
    if (outcome.failed > 0)
      log.warn({ event: 'notifications-refused', ...outcome }, 'the kernel refused notifications');
    return { notifyMs: outcome.ms };
  }

  onReleased(callback: (nodeIds: readonly number[]) => void): void {
    this.#released = callback;
  }

  released(nodeIds: readonly number[]): void {
    this.#released(nodeIds);
  }

  /** The end of the mount does not wait for a notification that the kernel leaves unanswered. */
  #unlessStuckAtEnd<T>(told: Promise<T>): Promise<T> {
    const { over, session } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => void session.stuck().then(() => reject(stuckAtEnd()));
      if (over.aborted) giveUp();
      else over.addEventListener('abort', giveUp, { once: true });
      told.then(resolve, reject).finally(() => over.removeEventListener('abort', giveUp));
    });
  }

  async #mount(shown: ShownTree): Promise<void> {
    const serving = await this.#startMount(shown, false);
    this.#mounted = true;
    this.#options.onMounted(serving);
  }

  async #startMount(shown: ShownTree, looksForContent: boolean): Promise<Serving> {
    const { driver, session, target, naming, allowOther, replacesStale } = this.#options;
    const { presentation, cacheDirectory, journal, allowIdmap } = this.#options;
    new MountMark(cacheDirectory).clear();
    const connection = driver.connect({ target, source: naming.source, allowOther, replacesStale });
    // A mount that the session makes itself exists only once the session says so.
    this.#mounted = connection.kind === 'device';
    this.#options.onOpened(connection);
    return await session.start({
      connection,
      shown: servedTree(shown),
      presentation,
      versions: this.#options.versions(),
      naming,
      cacheDirectory,
      looksForContent,
      journal,
      allowIdmap,
    });
  }
}

function stuckAtEnd(): MountError {
  return new MountError(
    'session-failed',
    'The mount ends while the kernel does not take a publication.',
    'End the process that holds the directory; the next mount shows the whole tree.',
  );
}
