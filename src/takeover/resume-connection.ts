import { setTimeout as delay } from 'node:timers/promises';
import { settledWithin } from '../base/waiting.ts';
import { ABSENT } from '../cache/verification.ts';
import {
  type Moment,
  type MountedTree,
  type Presentation,
  type Serving,
  type ShownSince,
  servedTree,
  type VersionsServed,
} from '../session/messages.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { HeldInode } from '../session/trees/held-inode.ts';
import type { ContentState } from '../sync/content-state.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Generation } from '../tree/index.ts';
import type { InitReply } from '../wire/index.ts';
import type { Succession } from './kept-state.ts';

export interface ResumeConnectionOptions {
  /** The descriptor of the inherited connection. */
  readonly device: number;
  readonly init: InitReply | undefined;
  readonly journal: number | undefined;
  /** Indexed by tree number. */
  readonly trees: readonly InheritedTree[];
  readonly presentation: Presentation;
  /** Undefined if the current tree is the whole mount. */
  readonly versions: VersionsServed | undefined;
  /** The mount's cache directory. */
  readonly cacheDirectory: string;
}

/** A tree as the predecessor left it. */
export interface InheritedTree extends Omit<MountedTree, 'shown' | 'left'> {
  /** Undefined if the tree was not shown yet. */
  readonly kept: KeptTree | undefined;
  /** Undefined if the kernel does not know the tree yet. */
  readonly succession: Succession | undefined;
}

/** A tree that an earlier process published. */
export interface KeptTree {
  readonly generation: Generation;
  /** Shared with the session. */
  readonly content: ContentState;
  /** When the tree was first shown on this mount. */
  readonly since: Moment;
}

/**
 * A resumed connection. Readers are answered while the kernel gets the notifications that the previous server
 * may have owed it.
 */
export interface Inherited {
  /** Resolves when the kernel has answered these notifications. */
  readonly serving: Promise<Serving>;
  /**
   * Resolves QUIET_MS after `serving` has settled, or after SOON_MS + QUIET_MS. Until then, the rest of the start
   * should wait: on two processors, it would take time from the session and from readers. Readers of content that is
   * not local do not wait for it (session-gate.ts). Look-ups of further versions, extended attributes of the root and
   * the control socket do.
   */
  readonly soonServing: Promise<void>;
}

const SOON_MS = 50;
const QUIET_MS = 50;

/** Resumes a connection, before any other part of the server has started. */
export function resumeConnection(
  session: Pick<SessionClient, 'start'>,
  options: ResumeConnectionOptions,
): Inherited {
  const serving = session.start(startOf(options));
  // The caller awaits `serving` later. Until then, a rejection does not count as unhandled, because this listens to it.
  return { serving, soonServing: settledWithin(serving, SOON_MS).then(() => delay(QUIET_MS)) };
}

/** Runs what resumeConnection() runs, without the connection. */
export async function rehearseResuming(
  session: Pick<SessionClient, 'rehearse'>,
  options: ResumeConnectionOptions,
): Promise<void> {
  await session.rehearse(startOf(options));
}

function startOf(options: ResumeConnectionOptions): Parameters<SessionClient['start']>[0] {
  const { device, init, trees, presentation, versions, cacheDirectory, journal } = options;
  return {
    connection: { kind: 'device', fd: device },
    trees: trees.map(({ kept, succession, ...tree }) => ({
      ...tree,
      shown: shownSince(kept),
      left: succession && {
        previous: succession.previous?.buffer,
        replaced: succession.replaced.map(heldInode),
      },
    })),
    presentation,
    versions,
    cacheDirectory,
    journal,
    looksForContent: true,
    takeover: { init },
  };
}

/** The tree as it is sent to the session. */
export function shownSince(kept: KeptTree | undefined): ShownSince | undefined {
  if (kept === undefined) return undefined;
  const { generation, content, since } = kept;
  return { ...servedTree({ generation, fingerprints: content.fingerprints }), since };
}

function heldInode(node: ReplacedInode): HeldInode {
  const { nodeId, directory, archived, executable, parentId, version, lastModified, mtime } = node;
  return {
    nodeId,
    directory,
    archived,
    executable,
    parentId,
    size: version?.size ?? 0,
    mtimeSeconds: mtime?.seconds ?? 0,
    mtimeNanoseconds: mtime?.nanoseconds ?? 0,
    path: version?.path,
    lastModified,
    version,
    // The content is not verified yet.
    fingerprint: ABSENT,
  };
}
