import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { preparePrivateDirectory } from '../cache/private-directory.ts';
import type { Presentation, Serving } from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { StateAhead } from '../state/state-ahead.ts';
import { checkStoreSettings } from '../store/check-store-settings.ts';
import { systemClock } from '../sync/system-clock.ts';
import { keptContent } from '../takeover/kept-content.ts';
import { decideSuccession, type KeptState, openKeptState } from '../takeover/kept-state.ts';
import { MountPresenter, type PresentedTree } from '../takeover/mount-presenter.ts';
import { removeEmpty } from '../takeover/mount-trees.ts';
import { lookAtLeft } from '../takeover/predecessor.ts';
import { resumeConnection } from '../takeover/resume-connection.ts';
import { warnUnlessIdmap } from '../takeover/warn-unless-idmap.ts';
import type { Acquired } from './acquire.ts';
import { type ComposedTree, composeTree } from './compose-tree.ts';
import { inheritedTree, type KeptTree, presentedParts } from './kept-tree.ts';
import type { LoadedVersions } from './loaded-versions.ts';
import { openLoadedVersions } from './open-loaded-versions.ts';
import type { ServedMount } from './served-mount.ts';
import { eventsOf, logOf } from './tree-log.ts';

export interface ComposeHooks {
  /** Whether the kernel holds a mount of this server. */
  readonly isMounted: () => boolean;
  /** Whether the mount ends because its first tree cannot be read: the next start is then a first start, too. */
  readonly isGivenUp: () => boolean;
  /** Called when this server has made a mount. */
  readonly onOpened: () => void;
  /** Called when the mount exists and is served. */
  readonly onMounted: (serving: Serving) => void;
}

export interface Composed {
  /** Indexed by tree number. */
  readonly trees: readonly ComposedTree[];
  readonly session: SessionClient;
  readonly presenter: MountPresenter;
  readonly loaded: LoadedVersions | undefined;
  /** Resolves when the cache knows the content of all shown versions; undefined if the mount shows none. */
  readonly isContentKnown: Promise<void> | undefined;
}

/**
 * Composes a server from the inherited mount, the kept state, and each tree's cache, source and Sync. If
 * trees were kept, readers are answered as soon as these trees are read. Only then are the store clients and
 * the caches prepared, which takes longest.
 */
export async function compose(
  mount: ServedMount,
  acquired: Acquired,
  hooks: ComposeHooks,
): Promise<Composed> {
  const { config, options, atEnd } = mount;
  const { log } = options;
  const { driver, supervised, prepared, sources, replacesStale, lock, ahead } = acquired;
  const { session } = prepared;
  const { target, source, allowOther, allowIdmap, uid, gid, umask } = config;
  const { cacheDirectory } = mount.places;
  const { device, isInherited } = supervised.mount;
  const { record, goesOn } = lookAtLeft(supervised.mount, driver.name, log);
  let isOfCache = false;
  atEnd(() => isOfCache || lock.release());
  const { canGoOn, trees: left } = decideSuccession(await keptTrees(mount, ahead, goesOn), goesOn);
  if (!canGoOn) for (const { kept } of left) kept.store.forgetVerified();
  const trees = left.map((each) => ({
    ...each,
    content: keptContent(each.kept, each.tree.places.runtimeDirectory),
  }));
  const salts = trees.flatMap(({ kept }) => kept.restored?.generation.salt ?? []);
  const isRestored = salts.length > 0;
  const salt = salts[0] ?? randomBytes(8).readBigUInt64LE();
  const loaded = await openLoadedVersions(mount, session, salt);
  if (loaded !== undefined) prepared.versionsBy(loaded);
  const closings = new Map<number, Promise<void>>();
  // An inherited mount still exists even if this server never resumes it.
  const closeKept = async ({ tree, kept }: KeptTree): Promise<void> => {
    const unmounted = !hooks.isMounted() && !supervised.mount.isDepended;
    if (unmounted) tree.mark.clear();
    const closing = closings.get(tree.number) ?? kept.store.close({ unmounted, discards: hooks.isGivenUp() });
    closings.set(tree.number, closing);
    await closing;
  };
  if (config.trees.length > 0) atEnd(() => removeEmpty(mount.places.runtimeDirectory));
  for (const tree of trees) atEnd(() => closeKept(tree));
  const presentation: Presentation = (canGoOn && record?.presentation) || { uid, gid, umask };
  const inherited =
    device === undefined || !canGoOn
      ? undefined
      : resumeConnection(session, {
          device,
          init: record?.init,
          journal: supervised.mount.journal,
          trees: trees.map(inheritedTree),
          presentation,
          versions: loaded?.served,
          cacheDirectory,
        });
  if (inherited !== undefined) supervised.heartbeat.answering();
  for (const { kept } of trees) kept.tell();
  const presenter = new MountPresenter({
    session,
    driver,
    target,
    source,
    trees: trees.map((tree) => presentedTree(tree, inherited !== undefined)),
    allowOther,
    allowIdmap,
    replacesStale,
    presentation,
    versions: () => loaded?.served,
    cacheDirectory,
    journal: supervised.mount.journal,
    log,
    onMounted: (serving) => {
      if (allowIdmap) warnUnlessIdmap(serving.init, log);
      supervised.serving(serving, presentation);
      hooks.onMounted(serving);
    },
    onKeptShown: (serving) => supervised.mount.serving(serving, presentation),
    onOpened: (connection) => {
      supervised.opened(connection);
      hooks.onOpened();
    },
    over: mount.over,
    inherited,
  });
  // Only the kernel driver shows kept trees this early: a fuse-native process looks for content by itself
  // only after it has lost its server.
  if (isRestored && !isInherited && driver.name === 'kernel') {
    for (const { tree } of trees) await checkStoreSettings(tree.config, process.env);
    presenter.showKept();
  }
  // Readers wait for the first listing: its thread loads its modules while this one loads those of the store.
  if (!isRestored && !isInherited) for (const tree of prepared.trees) tree.sourceWorker();
  await inherited?.soonServing;
  await Promise.all(
    prepared.trees.map((tree) => (inherited === undefined ? tree.connected() : tree.soonConnected())),
  );
  const composing = trees.map(async (each) => {
    const { tree, kept, content } = each;
    const { number } = tree;
    const isWhole = tree.path === '';
    const parts = {
      tree,
      kept,
      content,
      prepared: prepared.trees[number]!,
      ...sources[number]!,
      presenter: presenter.tree(number),
      salt,
      // The caches of several trees are below the locked directory, and none of them may release the lock.
      lock: isWhole ? lock : { release: () => undefined },
      events: eventsOf(mount, tree),
      isRestored,
      mayBeResumed: driver.name === 'kernel' && supervised.supervisorPid !== undefined,
      log: logOf(log, tree),
      closeKept: () => closeKept(each),
    };
    const onCache = (): void => {
      isOfCache = isWhole;
    };
    return composeTree(mount, parts, onCache);
  });
  const composed = await allOf(composing);
  session.versionIdOf = ({ tree, path, etag }) => composed[tree]?.versionIdOf(path, etag);
  const versions = composed[0]?.versions;
  const isContentKnown = versions && loaded?.open(versions);
  for (const { cache, sync } of composed) {
    if (!sync.isRestored) void Promise.resolve(isContentKnown).then(() => cache.resumeEviction());
  }
  void loaded?.tidy(mount.over);
  session.mainIsThere();
  for (const { openGate } of composed) openGate();
  return { trees: composed, session, presenter, loaded, isContentKnown };
}

/** What is found first; the content follows when it is decided whether the connection is resumed. */
type FoundTree = Omit<KeptTree, 'content'>;

/**
 * Reads the kept state of all trees. A tree that the kernel does not know starts as after a start of the
 * host.
 */
async function keptTrees(
  mount: ServedMount,
  ahead: readonly StateAhead[],
  goesOn: boolean,
): Promise<readonly FoundTree[]> {
  const opening = mount.trees.map(async (tree): Promise<FoundTree> => {
    const { config, places, id, mark } = tree;
    if (tree.path !== '') {
      await mkdir(places.runtimeDirectory, { recursive: true, mode: 0o700 });
      await preparePrivateDirectory(places.cacheDirectory, process.geteuid?.());
    }
    const kept = await openKeptState({
      ...places,
      config,
      mountId: id,
      takesOver: goesOn && mark.since !== undefined,
      ahead: ahead[tree.number]?.take(),
      clock: systemClock,
      log: logOf(mount.options.log, tree),
    });
    return { tree, kept };
  });
  return allOf(opening);
}

/**
 * Awaits all promises. Rejects only after all of them have settled, so that no work still runs while the
 * mount is closed.
 */
async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function isShown({ restored }: KeptState): boolean {
  return restored !== undefined;
}

function presentedTree({ tree, kept, content }: KeptTree, isResumed: boolean): PresentedTree {
  const { number: _, ...rest } = presentedParts(tree);
  const { restored } = kept;
  return {
    ...rest,
    kept: restored && content && { generation: restored.generation, fingerprints: content.fingerprints },
    isInherited: isResumed && isShown(kept),
  };
}
