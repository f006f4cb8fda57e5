import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { type DirectoryLock, flockWith, lockPath, lockSoon } from '../cache/directory-lock.ts';
import { mountSocket } from '../host/runtime-paths.ts';
import { chooseDriver } from '../mount/choose-driver.ts';
import { MountPlace } from '../mount/mount-place.ts';
import { prepareDirectories } from '../mount/mount-point.ts';
import type { Driver } from '../session/driver.ts';
import type { SessionEnd } from '../session/session-end.ts';
import type { StatePlaces } from '../state/open-state.ts';
import { StateAhead } from '../state/state-ahead.ts';
import { keepStoreTraits } from '../state/store-traits-file.ts';
import { systemClock } from '../sync/system-clock.ts';
import { canTakeOver } from '../takeover/can-take-over.ts';
import type { MountTree } from '../takeover/mount-trees.ts';
import { OrphanedSession } from '../takeover/orphaned-session.ts';
import { findInherited, inheritedMount, isToBeReplaced, limitWaiting } from '../takeover/predecessor.ts';
import { type Prepared, prepare } from '../takeover/preparation.ts';
import type { Replacement } from '../takeover/replacement.ts';
import { Supervised } from '../takeover/supervised.ts';
import { ContentSwitch } from './content-switch.ts';
import { keepIdleMemorySmall, ownMemory } from './idle-memory.ts';
import { loadControlPlane } from './load-control-plane.ts';
import { tellSupervisor } from './mount-log.ts';
import { type MountedSource, mountedSource } from './mounted-source.ts';
import { rehearse } from './rehearsal.ts';
import type { ServedMount } from './served-mount.ts';
import type { Served } from './server-port.ts';
import { logOf } from './tree-log.ts';

/** The states of a larger mount are not read in advance, because a standby needs little memory. */
const AHEAD_BYTES = 4 * 2 ** 20;

export interface AcquireHooks {
  /** Called when the session with the kernel has ended; `end` has a reason if the session failed. */
  readonly onEnded: (end: SessionEnd) => void;
  readonly onReplacement: (replacement: Replacement) => void;
}

/** Where a tree comes from. */
export interface AcquiredSource {
  readonly mounted: MountedSource;
  /** Undefined without standby sources. */
  readonly contents: ContentSwitch | undefined;
}

/** Resources that only this server uses from now on. */
export interface Acquired {
  readonly driver: Driver;
  readonly supervised: Supervised;
  readonly place: MountPlace;
  readonly prepared: Prepared;
  /** Indexed by tree number. */
  readonly sources: readonly AcquiredSource[];
  /** Undefined if this server resumes a connection: then it is looked for after the first answer. */
  readonly orphaned: OrphanedSession | undefined;
  /** What a standby has read in advance. Indexed by tree number. */
  readonly ahead: readonly StateAhead[];
  /** Whether the target has a mount that no process serves, which must be replaced. */
  readonly replacesStale: boolean;
  /** The lock of the cache directory. */
  readonly lock: DirectoryLock;
}

/**
 * Prepares what readers would wait for, waits for this server's turn, and makes its directories. `acquired`
 * is undefined if there is nothing to serve.
 */
export async function acquire(
  mount: ServedMount,
  hooks: AcquireHooks,
): Promise<{ readonly acquired: Acquired } | { readonly acquired: undefined; readonly served: Served }> {
  const { config, options, wiring, announcement, runtimeDirectory, places, id, atEnd } = mount;
  const { log, stop } = options;
  const { driver, addon } = await chooseDriver(config.driver, wiring.entries, log);
  atEnd(() => driver.session.terminate());
  atEnd(keepIdleMemorySmall(ownMemory(() => addon?.trimMemory())));
  announcement.driverIs(driver);
  // A successor serves readers before it listens on the control socket: until then, requests wait in it.
  announcement.socket = config.socket ?? mountSocket(runtimeDirectory, id);
  const supervised = new Supervised({
    link: options.supervisor,
    addon,
    runtimeDirectory,
    identity: { id, source: config.source, target: config.target },
    takeoverDeadlineMs: config.takeoverDeadlineMs,
    standby: config.standby,
    onChange: () => {
      announcement.supervisorIs(supervised.supervisorPid);
      tellSupervisor(log, supervised.supervisorPid);
    },
    onStuck: (threads) =>
      log.error(
        { event: 'stuck', threads },
        'the previous server did not respond and was killed; `threads` shows where it was in the kernel',
      ),
    onReplacement: hooks.onReplacement,
  });
  announcement.supervisorIs(supervised.supervisorPid);
  const place = new MountPlace(config.target, driver, log);
  const sources = mount.trees.map((tree) => acquiredSource(tree, log));
  const prepared = prepare({
    trees: mount.trees.map((tree) => ({
      config: tree.config,
      source: sources[tree.number]!.mounted,
      observer: async () => (await mount.metrics()).of(tree.path),
      log: logOf(log, tree),
    })),
    host: driver.session,
    log,
    onStuck: mount.events.publicationStuck,
    entries: wiring.entries,
    atEnd,
    device: () => place.deviceNumber,
    onEnded: hooks.onEnded,
  });
  const ahead = mount.trees.map(
    ({ id: mountId, places: { runtimeDirectory } }) =>
      new StateAhead({ runtimeDirectory, mountId, mostBytes: AHEAD_BYTES / mount.trees.length }),
  );
  const turnCame = new AbortController();
  const prepareToTakeOver = async (isStandby: boolean): Promise<void> => {
    // Loads what is usually loaded later: until a standby's turn, an upgrade may replace the files.
    await Promise.all([loadControlPlane(), mount.metrics()]);
    await canTakeOver(
      {
        session: prepared.session,
        connected: () => Promise.all(prepared.trees.map((tree) => tree.connected())),
      },
      { runtimeDirectory: places.runtimeDirectory, trees: takenOver(mount) },
      isStandby,
    );
    // fuse-native has no session that could rehearse.
    if (isStandby && driver.name === 'kernel')
      await rehearse({
        mount,
        supervised,
        place,
        session: prepared.session,
        ahead,
        log,
        over: turnCame.signal,
      });
  };
  const isTurn = await supervised.standby.turn(prepareToTakeOver, mount.over);
  turnCame.abort();
  for (const each of ahead) each.stop();
  // A server whose session has ended fails. If it ended with exit code 0, and the supervisor had just promoted it,
  // the supervisor would end, too.
  if (!stop.aborted) prepared.session.throwIfEnded();
  if (!isTurn) return { acquired: undefined, served: { outcome: 'stopped' } };
  const left = { supervised, place, driver, config, runtimeDirectory, log };
  const found = await findInherited(left);
  if (found === 'gone') return { acquired: undefined, served: { outcome: 'unmounted-outside' } };
  // As early as possible, because the rest of the start may take long or fail.
  limitWaiting(left, found);
  // Touches nothing of another server before this server is alone. A successor already has the lock.
  let isFirstTry = true;
  const { lock, replacesStale } = await lockSoon(
    async () => {
      const inherited = isFirstTry ? found : inheritedMount(left);
      isFirstTry = false;
      const replaces = await isToBeReplaced(left, inherited);
      await prepareDirectories(config, runtimeDirectory, places.cacheDirectory);
      const lockFile = flockWith((path) => supervised.lockFile(path));
      return { lock: lockFile(lockPath(places.cacheDirectory)), replacesStale: replaces };
    },
    systemClock,
    mount.over,
  );
  // Readers of an inherited mount wait, and need no look at the states of all mounts.
  const orphaned = supervised.mount.isInherited ? undefined : new OrphanedSession(runtimeDirectory, config);
  return { acquired: { driver, supervised, place, prepared, sources, orphaned, ahead, replacesStale, lock } };
}

function acquiredSource(tree: MountTree, log: Logger): AcquiredSource {
  const { config, places } = tree;
  const { cacheDirectory } = places;
  const contents = config.standbys.length === 0 ? undefined : new ContentSwitch();
  const traits = keepStoreTraits(`${cacheDirectory}/${persistedFiles.storeTraits.name}`, process.ppid);
  return {
    mounted: mountedSource({ config, cacheDirectory, traits, contents, log: logOf(log, tree) }),
    contents,
  };
}

/** The places of the state that this server would take over. */
function takenOver({ trees, options: { log } }: ServedMount): readonly StatePlaces[] {
  return trees
    .filter(({ mark }) => mark.since !== undefined)
    .map((tree) => ({ ...tree.places, mountId: tree.id, log: logOf(log, tree) }));
}
