import type { Logger } from '../base/logger.ts';
import { unsafeAncestor } from '../host/safe-directory.ts';
import type { MountPlace } from '../mount/mount-place.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { StateAhead } from '../state/state-ahead.ts';
import { ContentState } from '../sync/content-state.ts';
import { keptContent } from '../takeover/kept-content.ts';
import { type LeftState, readLeft } from '../takeover/kept-state.ts';
import { lookAtLeft } from '../takeover/predecessor.ts';
import { rehearseResuming } from '../takeover/resume-connection.ts';
import type { Supervised } from '../takeover/supervised.ts';
import { inheritedTree, type KeptTree } from './kept-tree.ts';
import type { ServedMount } from './served-mount.ts';

const nothing = (): void => undefined;
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export interface Rehearsed {
  readonly mount: Pick<ServedMount, 'config' | 'trees' | 'places' | 'runtimeDirectory'>;
  readonly supervised: Pick<Supervised, 'mount'>;
  readonly place: Pick<MountPlace, 'mountOf'>;
  readonly session: Pick<SessionClient, 'rehearse'>;
  /** Indexed by tree number. */
  readonly ahead: readonly Pick<StateAhead, 'follow' | 'current'>[];
  readonly log: Logger;
  /** Aborted when the turn of this server has come. */
  readonly over: AbortSignal;
}

/**
 * Runs what a standby runs at its turn, as far as that only reads: V8 compiles a function when it first runs, and
 * readers would wait for that. Never rejects.
 */
export async function rehearse(rehearsed: Rehearsed): Promise<void> {
  try {
    for (const each of rehearsed.ahead) {
      rehearsed.over.throwIfAborted();
      await each.follow();
    }
    await play(rehearsed);
  } catch (error) {
    if (rehearsed.over.aborted) return;
    // At its turn, this server runs the same code, and then reports the error.
    rehearsed.log.debug(
      { event: 'rehearsal-failed', err: error },
      'the standby could not rehearse its takeover',
    );
  }
}

async function play({ mount, supervised, place, session, ahead, over }: Rehearsed): Promise<void> {
  const { config, places, runtimeDirectory } = mount;
  over.throwIfAborted();
  place.mountOf(config.source);
  // Not the cache's directory, whose disk may hang.
  unsafeAncestor(runtimeDirectory, { uid: process.geteuid?.() ?? 0 });
  const { record, goesOn } = lookAtLeft(supervised.mount, 'kernel', SILENT);
  if (!goesOn) return;
  const trees: KeptTree<LeftState>[] = [];
  for (const tree of mount.trees) {
    const { config, id: mountId, places, number, mark } = tree;
    const { current } = ahead[number]!;
    // A large state is not read for this alone. Without a mark, inheritedTree() would set one.
    if (current === undefined || mark.since === undefined) return;
    const kept = await readLeft({ ...places, config, mountId, log: SILENT, ahead: current });
    over.throwIfAborted();
    if (kept?.restored === undefined) return;
    keptContent(kept, places.runtimeDirectory);
    // Not with what that returns: if nothing is verified, the session rehearses that, too.
    trees.push({ tree, kept, content: new ContentState(kept.restored.generation.entries) });
  }
  const { uid, gid, umask } = config;
  await rehearseResuming(session, {
    device: -1,
    init: record?.init,
    journal: undefined,
    trees: trees.map(inheritedTree),
    presentation: record?.presentation ?? { uid, gid, umask },
    versions: undefined,
    cacheDirectory: places.cacheDirectory,
  });
}
