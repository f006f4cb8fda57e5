import type { ReadFailure } from '../base/read-failure.ts';
import type { ContentVersion, Generation, GenerationChanges } from '../tree/index.ts';
import type { InitReply } from '../wire/index.ts';
import type { AskedVersion } from './asked-version.ts';
import type { Connection } from './connection.ts';
import type { Naming } from './naming.ts';
import type { AskedRoot } from './root-attributes.ts';
import type { SessionEnd } from './session-end.ts';
import type { HeldInode } from './trees/held-inode.ts';

/** A generation as a session receives it. Both parts are shared memory, because they are large. */
export interface ServedTree {
  readonly generation: SharedArrayBuffer;
  /**
   * One fingerprint per entry; ABSENT if the content is not known to be local. The main thread writes the
   * fingerprints. The session reads them, and writes those that it learns from fetches.
   */
  readonly fingerprints: SharedArrayBuffer;
}

/** Returns a generation in the form in which it is sent to the session. */
export function servedTree(tree: {
  readonly generation: Generation;
  readonly fingerprints: BigUint64Array;
}): ServedTree {
  return {
    generation: tree.generation.buffer,
    fingerprints: tree.fingerprints.buffer as unknown as SharedArrayBuffer,
  };
}

/** A point in time, with the precision of an mtime. */
export interface Moment {
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A version: the tree of a release, which never changes. It is shown below `versions/` under its id. */
export interface ServedVersion extends ServedTree {
  readonly id: string;
  /** Determines the version's node ids: no other version of this connection has had this slot. */
  readonly slot: number;
}

/** The versions that a mount shows beside its current tree. */
export interface VersionsServed {
  readonly versions: readonly ServedVersion[];
  /** The mtime of the mount's root, constant for the life of the mount. */
  readonly madeAt: Moment;
  /** The mtime of `versions/`, which changes whenever a version is added or removed. */
  readonly changedAt: Moment;
}

/** The result of a lookup of a version. */
export type VersionAnswer =
  | { readonly kind: 'found'; readonly version: ServedVersion; readonly changedAt: Moment }
  /** The source has no version of this id, or none that may be shown. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unavailable' };

/**
 * The result of a fetch. `local`: the blob is on the local disk, and its file has the fingerprint. `memory`:
 * the disk did not store the blob, so its bytes are in the message. `error`: the fetch failed.
 */
export type FetchResult =
  | { readonly kind: 'local'; readonly fingerprint: bigint }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly failure: ReadFailure };

/**
 * Ownership and permissions of every entry; fixed for the life of a mount, because the kernel caches them.
 */
export interface Presentation {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** A connection that a predecessor (an earlier server of the same mount) has served. */
export interface Takeover {
  /** The features that the predecessor negotiated with the kernel, if known. */
  readonly init: InitReply | undefined;
}

/** What a predecessor may have left of a tree in the kernel. */
export interface LeftOfTree {
  /** Nodes of earlier generations that the kernel may still hold. */
  readonly replaced: readonly HeldInode[];
  /** The buffer of the previous generation. Undefined if the kernel was notified of all differences. */
  readonly previous: SharedArrayBuffer | undefined;
}

/** What a takeover found in the connection, and how many notifications failed. */
export interface TakenOver {
  /** How many requests the predecessor had read and not answered. */
  readonly unanswered: number;
  /** How many notifications the session sent because the predecessor may not have sent them. */
  readonly owed: number;
  /** How many of these notifications the kernel refused. */
  readonly failed: number;
  /** Whether the kernel sends again the requests that the predecessor had read and not answered. */
  readonly resends: boolean;
}

export interface Serving {
  /**
   * When the main thread told the session to start, in milliseconds since the process began, by that thread's
   * clock.
   */
  readonly startedAt: number;
  /** When the main thread learned that the session serves, by the same clock. */
  readonly at: number;
  /** For how many milliseconds before its report the session already answered requests. */
  readonly answeredMs: number;
  readonly init: InitReply | undefined;
  readonly takenOver: TakenOver | undefined;
}

/**
 * A tree that is shown, and the point in time since when. That time stays the same for the life of the mount.
 */
export interface ShownSince extends ServedTree {
  readonly since: Moment;
}

/**
 * A tree of a mount, and what a session needs to answer requests about the tree. The tree's number is its
 * index among the trees.
 */
export interface MountedTree {
  /** The tree's directory below the mount's root; '' if it is the mount's only tree. */
  readonly path: string;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  /** Undefined if there is no generation of the tree yet. Then the tree has no directory either. */
  readonly shown: ShownSince | undefined;
  /** Set if a predecessor has shown the tree on this connection. */
  readonly left?: LeftOfTree | undefined;
}

export interface SessionStart {
  readonly kind: 'start';
  readonly connection: Connection;
  /** At least one of the trees is shown. */
  readonly trees: readonly MountedTree[];
  /** Undefined if the mount shows only the current tree. */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  /** The mount's cache directory. */
  readonly cacheDirectory: string;
  /** Memory of a RequestMeter. */
  readonly meter: SharedArrayBuffer;
  readonly takeover?: Takeover | undefined;
  /**
   * Whether the main thread has not opened the cache yet. Until it has, and sends `main-is-there`, the
   * session looks for content on the local disk itself.
   */
  readonly looksForContent?: boolean | undefined;
  /** The fd of the memory of a Journal. */
  readonly journal?: number | undefined;
  /** Whether a new mount allows that idmapped mounts are made from it (--allow-idmap). */
  readonly allowIdmap?: boolean | undefined;
}

export type ToSession =
  | SessionStart
  /** Runs what `start` would run, without a connection. The session answers with `rehearsed`. */
  | { readonly kind: 'rehearse'; readonly start: SessionStart }
  /** Shows a tree that was not shown so far. */
  | { readonly kind: 'show'; readonly tree: number; readonly shown: ShownSince }
  | {
      readonly kind: 'publish';
      readonly tree: number;
      readonly shown: ServedTree;
      readonly changes: GenerationChanges;
    }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: FetchResult }
  | { readonly kind: 'version-id'; readonly id: number; readonly versionId: string | undefined }
  | { readonly kind: 'version'; readonly id: number; readonly answer: VersionAnswer }
  /** Drops a version that was not used recently, if the kernel holds no node of it. */
  | { readonly kind: 'drop-version'; readonly id: string; readonly changedAt: Moment }
  | { readonly kind: 'root-attribute'; readonly id: number; readonly value: string | undefined }
  | { readonly kind: 'count' }
  /**
   * The main thread has opened the cache, and the session must ask it for content that is not known to be
   * local.
   */
  | { readonly kind: 'main-is-there' }
  | { readonly kind: 'stop' };

/** Requests that the kernel has sent, by opcode name, and the outcomes of some of them. */
export interface SessionCounters {
  readonly opcodes: Readonly<Record<string, number>>;
  readonly malformed: number;
  readonly readErrors: Readonly<Record<string, number>>;
  /** Nodes of earlier generations that the kernel may still hold. */
  readonly replacedInodes: number;
  /** Replies that the kernel refused. */
  readonly refused: number;
  /** Requests that a predecessor had read and not answered, and that the session therefore received again. */
  readonly replayed: number;
}

export const NOTHING_COUNTED: SessionCounters = {
  opcodes: {},
  malformed: 0,
  readErrors: {},
  replacedInodes: 0,
  refused: 0,
  replayed: 0,
};

/**
 * Counts of the notifications of one publication. By a notification, the session makes the kernel drop a
 * cached name or content.
 */
export interface NotifyOutcome {
  /** How many notifications the session sent. */
  readonly sent: number;
  /** How many of them the kernel refused. */
  readonly failed: number;
  /** Milliseconds from the swap until the kernel had answered every notification. */
  readonly ms: number;
}

/** The outcome of a publication that needs no notification to the kernel. */
export const NOTHING_SENT: NotifyOutcome = { sent: 0, failed: 0, ms: 0 };

/** A notification that the kernel blocks because a process holds the lock of the directory. */
export interface StuckNotification {
  readonly nodeId: number;
  /** Relative to the mount's root, '' for the root itself; undefined if it belongs to no known tree. */
  readonly path: string | undefined;
}

export type FromSession =
  | ({ readonly kind: 'serving' } & Omit<Serving, 'startedAt' | 'at'>)
  /** `error`: why the rehearsal failed. */
  | { readonly kind: 'rehearsed'; readonly error: string | undefined }
  /** The session could not mount, and ends. */
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'fetch';
      readonly id: number;
      readonly tree: number;
      readonly version: ContentVersion;
      readonly chunk: number | undefined;
      /** The uid of the waiting reader, if known. */
      readonly reader: number | undefined;
    }
  | { readonly kind: 'abandon'; readonly id: number }
  /** A reader waits for a version that is not loaded; `abandon` cancels the request. */
  | { readonly kind: 'find-version'; readonly id: number; readonly version: string; readonly reader: number }
  /** A loaded version was looked up. */
  | { readonly kind: 'version-used'; readonly version: string }
  /** Whether the version was dropped, which requires that the kernel held nothing of it. */
  | { readonly kind: 'version-dropped'; readonly version: string; readonly isGone: boolean }
  /** A reader asks for the id that the store gave to an object's version. */
  | ({ readonly kind: 'ask-version-id'; readonly id: number } & AskedVersion)
  | ({ readonly kind: 'ask-root-attribute'; readonly id: number } & AskedRoot)
  | { readonly kind: 'published'; readonly tree: number; readonly outcome: NotifyOutcome }
  /** A request that failed with an unexpected error; the reader got EIO. */
  | { readonly kind: 'fault'; readonly opcode: string; readonly error: string }
  /**
   * The kernel does not answer this notification. `stuck` is undefined once the kernel has answered it. In
   * the meantime, the session continues to answer readers.
   */
  | { readonly kind: 'stuck'; readonly stuck: StuckNotification | undefined }
  /**
   * The kernel no longer holds these replaced nodes of a tree. The node ids are those in the tree's
   * generations (Placement).
   */
  | { readonly kind: 'released'; readonly tree: number; readonly nodeIds: readonly number[] }
  | { readonly kind: 'counters'; readonly counters: SessionCounters }
  | { readonly kind: 'ended'; readonly end: SessionEnd };
