import { ABSENT } from '../cache/verification.ts';
import { type Presentation, type Serving, servedTree, type VersionsServed } from '../session/messages.ts';
import type { Naming } from '../session/naming.ts';
import type { SessionClient } from '../session/session-client.ts';
import type { HeldInode } from '../session/trees/held-inode.ts';
import { ContentState } from '../sync/content-state.ts';
import type { ReplacedInode } from '../sync/replaced-inode.ts';
import type { Restored } from '../sync/restored.ts';
import type { InitReply } from '../wire/index.ts';
import type { Succession } from './kept-state.ts';

export interface TakeOverOptions {
  readonly session: SessionClient;
  /** The inherited connection. */
  readonly device: number;
  readonly init: InitReply | undefined;
  readonly journal: number | undefined;
  readonly restored: Restored;
  readonly succession: Succession;
  readonly presentation: Presentation;
  /** Undefined: the current tree is the whole mount. */
  readonly versions: VersionsServed | undefined;
  readonly naming: Naming;
  readonly cacheDirectory: string;
}

/** A resumed connection: readers are answered, and owed notifications are being sent to the kernel. */
export interface Inherited {
  /** Resolves when the kernel has answered these notifications. */
  readonly serving: Promise<Serving>;
  /** Which content of the tree is verified. Shared with the session. */
  readonly content: ContentState;
}

/** Resumes a connection, before any other part of the server has started. */
export function takeOver(options: TakeOverOptions): Inherited {
  const { session, device, init, restored, succession, presentation, naming, cacheDirectory } = options;
  const { generation } = restored;
  const content = new ContentState(generation.entries);
  const { previous, replaced } = succession;
  const serving = session.start({
    connection: { kind: 'device', fd: device },
    shown: servedTree({ generation, fingerprints: content.fingerprints }),
    presentation,
    versions: options.versions,
    naming,
    cacheDirectory,
    journal: options.journal,
    looksForContent: true,
    takeover: { init, previous: previous?.buffer, replaced: replaced.map(heldInode) },
  });
  // Awaited later. Until then, a rejection must not count as unhandled.
  serving.catch(() => undefined);
  return { serving, content };
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
    // Its content is not verified yet.
    fingerprint: ABSENT,
  };
}
