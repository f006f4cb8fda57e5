import { LRUCache } from 'lru-cache';
import { blobKey } from '../cache/blob-path.ts';
import { ABSENT } from '../cache/verification.ts';
import type { ContentVersion } from '../tree/index.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

/** The maximum number of fingerprints that are stored here instead of beside a tree. */
const KNOWN_BLOBS = 4096;

/** The node that is read, and its version. */
export interface ReadNode {
  readonly nodeId: number;
  readonly version: ContentVersion;
}

/**
 * The fingerprints of blobs that the session knows (cache/verification.ts). The fingerprints of the files of
 * a tree are stored beside the tree, where the main thread also writes them. The fingerprints of chunks and
 * of replaced file versions are stored in this object. All of them are copies, so BlobReader compares each
 * fingerprint with the blob's file.
 */
export class KnownFingerprints {
  readonly #trees: Pick<MountedTrees, 'node'>;
  readonly #blobs = new LRUCache<string, bigint>({ max: KNOWN_BLOBS });

  constructor(trees: Pick<MountedTrees, 'node'>) {
    this.#trees = trees;
  }

  /**
   * Returns the fingerprint that the blob's file had when its content was last verified. Returns ABSENT if
   * the content is not known to be local, and ARRIVING if the prefetch is fetching it.
   */
  of({ nodeId, version }: ReadNode, chunk: number | undefined): bigint {
    const node = chunk === undefined ? this.#trees.node(nodeId) : undefined;
    if (node?.kind === 'entry') return Atomics.load(node.tree.fingerprints, node.index);
    const atReplacement = node?.kind === 'held' ? node.inode.fingerprint : ABSENT;
    return this.#blobs.get(blobKey(version.name, chunk)) ?? atReplacement;
  }

  /**
   * Records the fingerprint of content that was verified by the main thread, or by the session while there is
   * no main thread to ask.
   */
  note({ nodeId, version }: ReadNode, chunk: number | undefined, fingerprint: bigint): void {
    const node = chunk === undefined ? this.#trees.node(nodeId) : undefined;
    if (node?.kind === 'entry') Atomics.store(node.tree.fingerprints, node.index, fingerprint);
    else this.#blobs.set(blobKey(version.name, chunk), fingerprint);
  }
}
