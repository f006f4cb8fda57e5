import type { ReadFailure } from '../base/read-failure.ts';
import type { ContentVersion, GenerationChanges } from '../tree/index.ts';
import type { InitReply } from '../wire/index.ts';
import type { Connection } from './connection.ts';
import type { Naming } from './naming.ts';
import type { RootAttribute } from './root-attributes.ts';
import type { SessionEnd } from './session-end.ts';
import type { HeldInode } from './trees/held-inode.ts';

/** What the session needs to serve a generation; everything large is shared memory. */
export interface ServedTree {
  readonly generation: SharedArrayBuffer;
  /** One fingerprint an entry, ABSENT where the content is not known to be local. Written by main, read by the session. */
  readonly fingerprints: SharedArrayBuffer;
}

/** A moment, as mtimes are. */
export interface Moment {
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A tree that never changes, shown below `versions/` under its id. */
export interface ServedVersion extends ServedTree {
  readonly id: string;
  /** Its node ids follow from it: no other version of the connection has had it. */
  readonly slot: number;
}

/** What a mount shows beside its current tree. */
export interface VersionsServed {
  readonly versions: readonly ServedVersion[];
  /** The mtime of the mount's root, for the life of the mount. */
  readonly madeAt: Moment;
  /** The mtime of `versions/`: later with each version that comes or goes. */
  readonly changedAt: Moment;
}

/** How a look-up of a version ended. */
export type VersionAnswer =
  | { readonly kind: 'found'; readonly version: ServedVersion; readonly changedAt: Moment }
  /** The source has none of this id, or none that may be shown. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unavailable' };

/** How a miss ended: the blob is local under that fingerprint, or here are the blob's bytes, or it cannot be had. */
export type FetchResult =
  | { readonly kind: 'local'; readonly fingerprint: bigint }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly failure: ReadFailure };

/** Ownership and permissions that every entry shows; fixed for the life of a mount, as the kernel caches them. */
export interface Presentation {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** A connection that a predecessor has served. */
export interface Takeover {
  /** What it agreed on with the kernel, where that is known. */
  readonly init: InitReply | undefined;
  /** Nodes of trees before the one shown, which the kernel may still hold. */
  readonly replaced: readonly HeldInode[];
  /** The tree before, where the kernel may not have been told of all that differs: a generation's buffer. */
  readonly previous: SharedArrayBuffer | undefined;
}

/** What a takeover found and what it had to leave. */
export interface TakenOver {
  /** Requests that the predecessor had read and not answered. */
  readonly unanswered: number;
  /** Notifications that the predecessor may have owed the kernel. */
  readonly owed: number;
  readonly failed: number;
  /** Whether the kernel sends again what the predecessor had read and not answered. */
  readonly resends: boolean;
}

export interface Serving {
  /** On the main thread's clock since the process began, milliseconds. */
  readonly at: number;
  readonly init: InitReply | undefined;
  readonly takenOver: TakenOver | undefined;
}

export interface SessionStart {
  readonly kind: 'start';
  readonly connection: Connection;
  readonly shown: ServedTree;
  /** Undefined: the current tree is the whole mount. */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  /** Memory for a RequestMeter. */
  readonly meter: SharedArrayBuffer;
  readonly takeover?: Takeover | undefined;
  /** Main has not opened the cache yet: until it says so, what is on the local disk is looked for by the session. */
  readonly looksForContent?: boolean | undefined;
  /** Memory for a Journal. */
  readonly journal?: number | undefined;
}

export type ToSession =
  | SessionStart
  | { readonly kind: 'publish'; readonly shown: ServedTree; readonly changes: GenerationChanges }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: FetchResult }
  | { readonly kind: 'version-id'; readonly id: number; readonly versionId: string | undefined }
  | { readonly kind: 'version'; readonly id: number; readonly answer: VersionAnswer }
  /** A version that nobody used lately is to go, if the kernel holds nothing of it. */
  | { readonly kind: 'drop-version'; readonly id: string; readonly changedAt: Moment }
  | { readonly kind: 'root-attribute'; readonly id: number; readonly value: string | undefined }
  | { readonly kind: 'count' }
  /** Main has opened the cache, and is to be asked for all that is not known to be local. */
  | { readonly kind: 'main-is-there' }
  | { readonly kind: 'stop' };

/** Requests the kernel has sent, by opcode name, and how some of them ended. */
export interface SessionCounters {
  readonly opcodes: Readonly<Record<string, number>>;
  readonly malformed: number;
  readonly readErrors: Readonly<Record<string, number>>;
  readonly retired: number;
  /** Replies that the kernel did not take. */
  readonly refused: number;
  /** Requests that the kernel sent again, since a predecessor had read and not answered them. */
  readonly replayed: number;
}

export const NOTHING_COUNTED: SessionCounters = {
  opcodes: {},
  malformed: 0,
  readErrors: {},
  retired: 0,
  refused: 0,
  replayed: 0,
};

/** What the kernel said to the notifications of one publication. */
export interface NotifyOutcome {
  readonly sent: number;
  readonly failed: number;
  /** Milliseconds from the swap until the kernel had answered all. */
  readonly ms: number;
}

/** A notification that the kernel does not answer, as long as a process holds the lock of what it is about. */
export interface StuckNotification {
  readonly nodeId: number;
  /** Below the root, '' for the root itself; undefined where it is of no tree that is known any more. */
  readonly path: string | undefined;
}

export type FromSession =
  | ({ readonly kind: 'serving' } & Omit<Serving, 'at'>)
  /** It could not mount; it ends. */
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'fetch';
      readonly id: number;
      readonly version: ContentVersion;
      readonly chunk: number | undefined;
      /** The uid that waits for it, where that is known. */
      readonly reader: number | undefined;
    }
  | { readonly kind: 'abandon'; readonly id: number }
  /** Somebody waits for a version that is not here; `abandon` ends it. */
  | { readonly kind: 'find-version'; readonly id: number; readonly version: string; readonly reader: number }
  /** Somebody looked it up, and it is here. */
  | { readonly kind: 'version-used'; readonly version: string }
  /** Whether it went: the kernel held nothing of it. */
  | { readonly kind: 'version-dropped'; readonly version: string; readonly isGone: boolean }
  /** Somebody asks for the id that the store gave a version. */
  | { readonly kind: 'ask-version-id'; readonly id: number; readonly path: string; readonly etag: string }
  | { readonly kind: 'ask-root-attribute'; readonly id: number; readonly attribute: RootAttribute }
  | { readonly kind: 'published'; readonly outcome: NotifyOutcome }
  /** A request that got EIO for a reason that nobody foresaw. */
  | { readonly kind: 'fault'; readonly opcode: string; readonly error: string }
  /** The notification that the kernel does not answer; undefined once it is answered. Readers are answered meanwhile. */
  | { readonly kind: 'stuck'; readonly stuck: StuckNotification | undefined }
  | { readonly kind: 'released'; readonly nodeIds: readonly number[] }
  | { readonly kind: 'counters'; readonly counters: SessionCounters }
  | { readonly kind: 'ended'; readonly end: SessionEnd };
