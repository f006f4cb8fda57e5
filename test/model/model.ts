import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { markDigest } from '../../src/base/content-digest.ts';
import { isReleased } from '../support/shape.ts';
import { type ReferenceTree, referenceDiff, referenceId, referenceTree } from '../tree/reference-tree.ts';
import type { Bucket } from './operations.ts';

/** What a reader can learn of one path, in whichever way it looks. */
export interface Seen {
  readonly kind: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hexadecimal; undefined for a directory, or if the reader did not read the content. */
  readonly content: string | undefined;
  /** 1 for a file; for a directory 2, and one for each directory in it. */
  readonly links: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
}

/** By path; '' is the root. */
export type View = ReadonlyMap<string, Seen>;

const second = 1_000_000_000n;

/**
 * What a mount shows of a bucket, publication after publication: the tree, by the rules for keys (reference-tree.ts),
 * and the modification times that may follow the earlier ones. It does not know how dagmount finds either.
 */
export class MountModel {
  #tree: ReferenceTree | undefined;
  #view: View = new Map();
  /** The highest whole second of each path that ever existed. */
  readonly #highest = new Map<string, bigint>();
  /** The mtime of the last publication after the first tree. */
  #published = 0n;

  /** The paths that the tree has or had, for probes of what does not exist. */
  get everSeen(): Iterable<string> {
    return this.#highest.keys();
  }

  /** Whether a publication of this bucket would show another tree. */
  isNews(bucket: Bucket): boolean {
    if (this.#tree === undefined) return true;
    const { added, removed, changed } = referenceDiff(this.#tree, treeOf(bucket));
    return added.length + removed.length + changed.length > 0;
  }

  /**
   * Checks what a reader sees after a publication of `bucket` against the rules.
   * @param now nanoseconds since the epoch, read after the view
   */
  check(bucket: Bucket, view: View, now: bigint): void {
    const tree = treeOf(bucket);
    const before = this.#tree;
    try {
      assert.deepEqual(withoutTimes(view), expected(tree, bucket));
      if (before === undefined) this.#checkFirst(view, now);
      else this.#checkNext(before, tree, view, now);
    } finally {
      // Adopts the tree after a failure too: the next check, of a smaller history, must not fail for this one.
      this.#adopt(tree, view);
    }
  }

  #adopt(tree: ReferenceTree, view: View): void {
    for (const [path, { mtime }] of view) {
      const before = this.#highest.get(path) ?? 0n;
      if (mtime / second > before) this.#highest.set(path, mtime / second);
    }
    this.#tree = tree;
    this.#view = view;
  }

  /** The id of the tree shown, as every node computes it. */
  get id(): string {
    return this.#tree === undefined ? '' : referenceId(this.#tree);
  }

  /** `reason key` for each key that the tree leaves out, sorted; the key is latin1. */
  get problems(): readonly string[] {
    return this.#tree?.problems ?? [];
  }

  has(path: string): boolean {
    return this.#tree?.entries.has(path) === true;
  }

  /** The result that looking for a path must give: an errno, or `found`. No component may be empty, `.` or `..`. */
  errnoOf(path: string): string {
    let at = '';
    for (const component of path.split('/')) {
      if (this.#tree?.entries.get(at)?.kind === 'file') return 'ENOTDIR';
      if (Buffer.byteLength(component) > 255) return 'ENAMETOOLONG';
      at = at === '' ? component : `${at}/${component}`;
      if (this.#tree?.entries.has(at) !== true) return 'ENOENT';
    }
    return 'found';
  }

  /** The first tree of a mount has the store's dates: whole seconds, none in the future. */
  #checkFirst(view: View, now: bigint): void {
    for (const [path, { kind, mtime }] of view) {
      assert.ok(mtime <= now, `the mtime of ${JSON.stringify(path)} lies in the future`);
      if (kind === 'file') assert.equal(mtime % second, 0n, `${JSON.stringify(path)}: ${mtime}`);
    }
  }

  /** Everything new or changed has the same mtime, the moment of this publication; everything else keeps its own. */
  #checkNext(before: ReferenceTree, tree: ReferenceTree, view: View, now: bigint): void {
    const { added, changed, touched } = referenceDiff(before, tree);
    const news = new Set([...added, ...changed, ...touched]);
    const moments = new Set<bigint>();
    for (const [path, { mtime }] of view) {
      const named = JSON.stringify(path);
      if (!news.has(path)) {
        assert.equal(mtime, this.#view.get(path)?.mtime, `nothing changed at ${named}, and its mtime did`);
        continue;
      }
      moments.add(mtime);
      const highest = this.#highest.get(path);
      assert.ok(
        highest === undefined || mtime / second > highest,
        `the mtime of ${named} did not rise: ${mtime} after second ${highest}`,
      );
    }
    if (news.size === 0) return;
    const [moment = 0n] = moments;
    // If the view has none of the new paths, no path has the moment of the publication.
    if (moments.size === 0) return;
    assert.equal(moments.size, 1, 'the changes of one publication have several mtimes');
    assert.ok(moment / second > this.#published / second, 'two publications are in one second');
    assert.ok(moment <= now, 'what is published has an mtime in the future');
    this.#published = moment;
  }
}

function treeOf(bucket: Bucket): ReferenceTree {
  return referenceTree(
    [...bucket].map(([key, body]) => ({
      key: Buffer.from(key, 'latin1'),
      size: Buffer.byteLength(body),
      etag: etagOf(body),
    })),
  );
}

/** The identity of the content: its ETag, or for a release the digest in its place. */
export function etagOf(body: string): string {
  if (isReleased) return markDigest(createHash('sha256').update(body).digest('hex'));
  return createHash('md5').update(body).digest('hex');
}

export function contentOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

function expected(tree: ReferenceTree, bucket: Bucket): ReadonlyMap<string, object> {
  const links = new Map<string, number>();
  for (const [path, { kind }] of tree.entries) {
    if (kind !== 'directory' || path === '') continue;
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    links.set(parent, (links.get(parent) ?? 2) + 1);
  }
  return inOrder(
    [...tree.entries].map(([path, { kind, size }]) => {
      const body = kind === 'file' ? bucket.get(Buffer.from(path).toString('latin1')) : undefined;
      const content = body === undefined ? undefined : contentOf(body);
      return [path, { kind, size, content, links: kind === 'file' ? 1 : (links.get(path) ?? 2) }];
    }),
  );
}

function withoutTimes(view: View): ReadonlyMap<string, object> {
  return inOrder(
    [...view].map(([path, { kind, size, content, links }]) => [path, { kind, size, content, links }]),
  );
}

function inOrder<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
