import type { Logger } from '../base/logger.ts';
import { sourceInTable } from '../host/mountinfo.ts';
import type { Connection } from '../session/connection.ts';
import type { Driver } from '../session/driver.ts';
import { MountMark } from '../session/fuse-native/mount-mark.ts';
import {
  type MountedTree,
  type Presentation,
  type Serving,
  servedTree,
  type VersionsServed,
} from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { Presenter, Publication } from '../sync/ports.ts';
import type { Inherited } from './resume-connection.ts';
import type { TreeMark } from './tree-mark.ts';

export interface MountPresenterOptions {
  readonly session: SessionClient;
  readonly driver: Driver;
  readonly target: string;
  readonly source: string;
  /** Indexed by tree number. */
  readonly trees: readonly PresentedTree[];
  readonly allowOther: boolean;
  readonly allowIdmap: boolean;
  readonly replacesStale: boolean;
  readonly presentation: Presentation;
  /** Returns the versions that the session shows; undefined if the current tree is the whole mount. */
  readonly versions: () => VersionsServed | undefined;
  readonly cacheDirectory: string;
  /** The descriptor of memory for a Journal; undefined if this server will have no successor. */
  readonly journal: number | undefined;
  readonly log: Logger;
  /** Called once, when the mount exists and is served. */
  readonly onMounted: (serving: Serving) => void;
  /**
   * Called when the kept trees are shown. From then on a successor can resume the mount, although this server
   * has not fully started.
   */
  readonly onKeptShown: (serving: Serving) => void;
  /**
   * Called when a new mount was made, or when the session is about to make it. No request was answered yet.
   */
  readonly onOpened: (connection: Connection) => void;
  /** Aborted when the mount should end. */
  readonly over: AbortSignal;
  /** The connection that this server resumes; undefined if a new mount is needed. */
  readonly inherited: Inherited | undefined;
}

/** A tree of the mount, and what is known of it before it is published. */
export interface PresentedTree extends Omit<MountedTree, 'shown' | 'left'> {
  /**
   * The generation that an earlier process published, and that must be published first; undefined if there is
   * none. It is shown as soon as any tree of the mount is.
   */
  readonly kept: ShownTree | undefined;
  /** Marks that the kernel may know the tree. */
  readonly mark: Pick<TreeMark, 'set' | 'clear'>;
  /** Whether the inherited connection shows the tree already. */
  readonly isInherited: boolean;
}

type ShownTree = Pick<Publication, 'generation' | 'fingerprints'>;

/**
 * Shows the generations of all trees through the kernel: makes the mount for the first one, and passes each
 * later one to the session.
 */
export class MountPresenter {
  readonly #options: MountPresenterOptions;
  readonly #trees: readonly TreePresenter[];
  /** Set as soon as a mount is being made, or if a connection was inherited. */
  #serving: Promise<Serving> | undefined;
  #mounted = false;
  #isTold = false;

  constructor(options: MountPresenterOptions) {
    this.#options = options;
    this.#serving = options.inherited?.serving;
    this.#trees = options.trees.map(
      ({ isInherited }, number) => new TreePresenter(this, number, isInherited),
    );
  }

  get mounted(): boolean {
    return this.#mounted;
  }

  tree(number: number): TreePresenter {
    return this.#trees[number]!;
  }

  /**
   * Mounts the kept trees while the rest of the server is still starting. The first publication of each tree must be of
   * its kept tree.
   */
  showKept(): void {
    this.#serving = this.#startMount(undefined, true);
    // The first publication awaits the same promise, and reports its failure.
    this.#serving.then(this.#options.onKeptShown).catch(() => undefined);
  }

  /**
   * Shows a tree for the first time, unless it was shown as a kept tree. Makes the mount if there is none.
   */
  async showFirst(number: number, shown: ShownTree): Promise<void> {
    if (this.#serving === undefined) {
      this.#serving = this.#startMount({ number, shown }, false);
      try {
        await this.#mount(this.#serving);
      } catch (error) {
        // If nothing was mounted, the next tree that is shown makes the mount.
        if (!this.#mounted) this.#serving = undefined;
        throw error;
      }
      return;
    }
    if (this.#options.inherited !== undefined) this.#mounted = true;
    await this.#mount(this.#serving);
    if (this.tree(number).isShown) return;
    const since = this.#options.trees[number]!.mark.set();
    await this.#options.session.show(number, { ...servedTree(shown), since });
  }

  async swap(number: number, publication: Publication): Promise<{ readonly notifyMs: number }> {
    const { session, log } = this.#options;
    const outcome = await this.#unlessStuckAtEnd(session.publish(number, publication));
    if (outcome.failed > 0)
      log.warn({ event: 'notifications-refused', ...outcome }, 'the kernel refused notifications');
    return { notifyMs: outcome.ms };
  }

  /** Waits until the mount is served, and reports that once. */
  async #mount(serving: Promise<Serving>): Promise<void> {
    const served = await this.#unlessStuckAtEnd(serving);
    this.#mounted = true;
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onMounted(served);
  }

  /**
   * Settles like `told`. If the mount is to end while the kernel leaves a notification unanswered, rejects
   * instead, so that the end does not wait for the kernel.
   */
  #unlessStuckAtEnd<T>(told: Promise<T>): Promise<T> {
    const { over, session } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => void session.stuck().then(() => reject(stuckAtEnd()));
      if (over.aborted) giveUp();
      else over.addEventListener('abort', giveUp, { once: true });
      told.then(resolve, reject).finally(() => over.removeEventListener('abort', giveUp));
    });
  }

  /** Makes the mount, which shows all kept trees and the tree of `first`. */
  async #startMount(
    first: { readonly number: number; readonly shown: ShownTree } | undefined,
    looksForContent: boolean,
  ): Promise<Serving> {
    const { driver, session, target, source, trees, allowOther, replacesStale } = this.#options;
    const { presentation, cacheDirectory, journal, allowIdmap } = this.#options;
    // Without a session, connecting would leave a mount that no process serves; with fuse-native it would also
    // detach the mount that the previous server's process may still serve.
    session.throwIfEnded();
    new MountMark(cacheDirectory).clear();
    // A new mount knows no tree of the previous one. The marks are cleared before there is a mount, because
    // clearing may fail.
    for (const { mark } of trees) mark.clear();
    const mounted = trees.map(({ mark, kept, isInherited: _, ...tree }, number) => {
      const shown = number === first?.number ? first.shown : kept;
      return { ...tree, shown: shown && { ...servedTree(shown), since: mark.set() } };
    });
    const connection = driver.connect({
      target,
      source: sourceInTable(source),
      allowOther,
      replacesStale,
    });
    // If the session makes the mount itself (fuse-native), the mount exists only once the session says so.
    this.#mounted = connection.kind === 'device';
    this.#options.onOpened(connection);
    for (const [number, { shown }] of mounted.entries()) this.tree(number).isShown = shown !== undefined;
    return await session.start({
      connection,
      trees: mounted,
      presentation,
      versions: this.#options.versions(),
      cacheDirectory,
      looksForContent,
      journal,
      allowIdmap,
    });
  }
}

/** Shows the generations of one tree. */
export class TreePresenter implements Presenter {
  readonly #mount: MountPresenter;
  readonly #number: number;
  #released: (nodeIds: readonly number[]) => void = () => undefined;
  #isPublished = false;
  /** Whether the generation that must be published first is already shown. */
  isShown: boolean;

  constructor(mount: MountPresenter, number: number, isShown: boolean) {
    this.#mount = mount;
    this.#number = number;
    this.isShown = isShown;
  }

  async publish(publication: Publication): Promise<{ readonly notifyMs: number } | undefined> {
    if (this.#isPublished) return await this.#mount.swap(this.#number, publication);
    await this.#mount.showFirst(this.#number, publication);
    this.#isPublished = true;
    this.isShown = true;
    return undefined;
  }

  onReleased(callback: (nodeIds: readonly number[]) => void): void {
    this.#released = callback;
  }

  released(nodeIds: readonly number[]): void {
    this.#released(nodeIds);
  }
}

function stuckAtEnd(): MountError {
  return new MountError(
    'session-failed',
    'The mount ends while the kernel does not take a publication.',
    'End the process that holds the directory; the next mount shows the whole tree.',
  );
}
