import { LRUCache } from 'lru-cache';
import { blobKey } from '../cache/blob-path.ts';
import { ABSENT } from '../cache/verification.ts';
import type { ContentVersion } from '../tree/index.ts';
import type { MountedTrees } from './trees/mounted-trees.ts';

/** Limit of fingerprints that are not stored beside a tree. */
const KNOWN_BLOBS = 4096;

/** The node that is read, and its version. */
export interface ReadNode {
  readonly nodeId: number;
  readonly version: ContentVersion;
}

/**
 * The fingerprints that the session knows. The fingerprints of shown files are stored beside their tree, where the main
 * thread also writes them. Those of chunks and of replaced versions are stored here. All of them are copies: BlobReader
 * compares each with the file.
 */
export class KnownFingerprints {
  readonly #trees: Pick<MountedTrees, 'node'>;
  readonly #blobs = new LRUCache<string, bigint>({ max: KNOWN_BLOBS });

  constructor(trees: Pick<MountedTrees, 'node'>) {
    this.#trees = trees;
  }

  /** Returns ABSENT, ARRIVING, or the fingerprint of the blob's file when its content was last verified. */
  of({ nodeId, version }: ReadNode, chunk: number | undefined): bigint {
    const node = chunk === undefined ? this.#trees.node(nodeId) : undefined;
    if (node?.kind === 'entry') return Atomics.load(node.tree.fingerprints, node.index);
    const atReplacement = node?.kind === 'held' ? node.inode.fingerprint : ABSENT;
    return this.#blobs.get(blobKey(version.name, chunk)) ?? atReplacement;
  }

  /** Records content that the main thread has verified, or this session while it runs without a main thread. */
  note({ nodeId, version }: ReadNode, chunk: number | undefined, fingerprint: bigint): void {
    const node = chunk === undefined ? this.#trees.node(nodeId) : undefined;
    if (node?.kind === 'entry') Atomics.store(node.tree.fingerprints, node.index, fingerprint);
    else this.#blobs.set(blobKey(version.name, chunk), fingerprint);
  }
}
