import type { ContentVersion, GenerationChanges } from '../tree/index.ts';
import type { Naming } from './extended-attributes.ts';

/** What the session needs to serve a generation; everything large is shared memory. */
export interface Shown {
  readonly generation: SharedArrayBuffer;
  /** One stamp an entry, 0n where the content is not known to be local. Written by main, read by the session. */
  readonly stamps: SharedArrayBuffer;
}

export type ReadErrno = 'EIO' | 'ESTALE';

/** How a miss ended: the blob is local under that stamp, or here are the blob's bytes, or an errno. */
export type FetchResult =
  | { readonly kind: 'local'; readonly stamp: bigint }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly errno: ReadErrno };

/** Ownership and permissions that every entry shows; fixed for the life of a mount, as the kernel caches them. */
export interface Presentation {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

export interface SessionStart {
  readonly kind: 'start';
  readonly fd: number;
  readonly shown: Shown;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
}

export type ToSession =
  | SessionStart
  | { readonly kind: 'publish'; readonly shown: Shown; readonly changes: GenerationChanges }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: FetchResult }
  | { readonly kind: 'count' }
  | { readonly kind: 'stop' };

/** Requests the kernel has sent, by opcode name, and how some of them ended. */
export interface SessionCounters {
  readonly opcodes: Readonly<Record<string, number>>;
  readonly malformed: number;
  readonly readErrors: Readonly<Record<string, number>>;
  readonly retired: number;
}

export const NOTHING_COUNTED: SessionCounters = { opcodes: {}, malformed: 0, readErrors: {}, retired: 0 };

/** What the kernel said to the notifications of one publication. */
export interface NotifyOutcome {
  readonly sent: number;
  readonly failed: number;
}

export type FromSession =
  | { readonly kind: 'serving'; readonly protocolMinor: number }
  | {
      readonly kind: 'fetch';
      readonly id: number;
      readonly version: ContentVersion;
      readonly chunk: number | undefined;
    }
  | { readonly kind: 'abandon'; readonly id: number }
  | { readonly kind: 'published'; readonly outcome: NotifyOutcome }
  /** A request that got EIO for a reason that nobody foresaw. */
  | { readonly kind: 'fault'; readonly opcode: string; readonly error: string }
  | { readonly kind: 'released'; readonly nodeIds: readonly number[] }
  | { readonly kind: 'counters'; readonly counters: SessionCounters }
  | { readonly kind: 'ended'; readonly errno: string | undefined };
