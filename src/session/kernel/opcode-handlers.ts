import type { ReplyWriter, Request, RequestOf } from '../../wire/index.ts';
import type { AskedVersion } from '../asked-version.ts';
import type { AttributeSource } from '../attributes.ts';
import type { ContentRange } from '../content-reader.ts';
import { errnoOf, type Refusal } from '../errno.ts';
import type { ExtendedAttributes } from '../extended-attributes.ts';
import type { AskedRoot } from '../root-attributes.ts';
import { LONGEST_NAME_BYTES, statfsOf } from '../statfs.ts';
import { absentTtlSeconds, type MountedTrees, ownTtlSeconds } from '../trees/mounted-trees.ts';
import type { Node } from '../trees/node.ts';

/**
 * The outcome of a request: `answered` (the reply is in the writer), `silent` (no reply is needed), `content`
 * (the bytes must be fetched), `version-id` and `root-attribute` (the main thread must be asked), `version`
 * (the source must be asked), `interrupt` and `forget` (the session handles them).
 */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'content'; readonly range: ContentRange }
  /** A reader asks for the store's id of a file version, or for the length of the id if `size` is 0. */
  | { readonly kind: 'version-id'; readonly version: AskedVersion; readonly size: number }
  /**
   * The kernel asks for the attributes of a version's root. The version (the tree of a release) is not
   * loaded, so the source must be asked whether it exists.
   */
  | { readonly kind: 'version'; readonly id: string }
  | { readonly kind: 'root-attribute'; readonly asked: AskedRoot; readonly size: number }
  | { readonly kind: 'interrupt'; readonly target: RequestOf<'interrupt'> }
  | { readonly kind: 'forget'; readonly nodeIds: readonly number[] };

export interface Handling {
  readonly trees: MountedTrees;
  readonly attributes: AttributeSource;
  readonly extended: ExtendedAttributes;
  readonly reply: ReplyWriter;
}

const ANSWERED: Outcome = { kind: 'answered' };
const SILENT: Outcome = { kind: 'silent' };
const DOT = new Uint8Array([0x2e]);
const DOT_DOT = new Uint8Array([0x2e, 0x2e]);
/** The cookies of "." and "..". The cookies of names are larger (src/tree). */
const DOT_COOKIE = 1;
const DOT_DOT_COOKIE = 2;

/** Every request except INIT, which the session itself answers, because INIT describes the connection. */
export type Handled = Exclude<Request, RequestOf<'init'>>;

/**
 * Answers one request from the shown trees. It only reads the trees and writes the reply; the caller does the
 * rest.
 */
export function handle(request: Handled, on: Handling): Outcome {
  const { trees, reply } = on;
  reply.begin(request.uniqueHigh, request.uniqueLow);
  if (request.mutation) return refuse(reply, 'read-only');
  switch (request.kind) {
    case 'lookup':
      return lookup(request, on);
    case 'getattr':
      return getattr(trees.node(request.nodeId), on);
    case 'read':
      return read(request, on);
    case 'readdirplus':
    case 'readdir':
      return readDirectory(request, on);
    case 'forget':
      return { kind: 'forget', nodeIds: [request.nodeId] };
    case 'batch_forget':
      return { kind: 'forget', nodeIds: request.forgets.map((forget) => forget.nodeId) };
    case 'interrupt':
      return { kind: 'interrupt', target: request };
    case 'statfs':
      return done(reply.statfs(statfsOf(trees.shown.map(({ generation }) => generation))));
    case 'getxattr': {
      const version = on.extended.versionAsked(trees, request.nodeId, request.name);
      if (version !== undefined) return { kind: 'version-id', version, size: request.size };
      const asked = on.extended.rootAsked(trees, request.nodeId, request.name);
      if (asked !== undefined) return { kind: 'root-attribute', asked, size: request.size };
      return attribute(on.extended.value(trees, request.nodeId, request.name), request.size, reply);
    }
    case 'listxattr':
      return attribute(on.extended.names(trees, request.nodeId), request.size, reply);
    case 'destroy':
      return ANSWERED;
    case 'malformed':
      return request.answerable ? refuse(reply, 'malformed') : SILENT;
    case 'unknown':
      return request.answerable ? refuse(reply, 'not-implemented') : SILENT;
    case 'notify_reply':
      return SILENT;
    // The kernel remembers ENOSYS to OPEN and OPENDIR for the connection: later opens send no request.
    case 'open':
    case 'opendir':
    case 'release':
    case 'releasedir':
    case 'access':
    case 'bmap':
    case 'flush':
    case 'fsync':
    case 'fsyncdir':
    case 'getlk':
    case 'ioctl':
    case 'lseek':
    case 'poll':
    case 'readlink':
    case 'removemapping':
    case 'setlk':
    case 'setlkw':
    case 'setupmapping':
    case 'statx':
    case 'syncfs':
      return refuse(reply, 'not-implemented');
    default:
      return request satisfies never;
  }
}

function getattr(node: Node | undefined, { attributes, reply }: Handling): Outcome {
  switch (node?.kind) {
    case undefined:
      // After ESTALE the kernel looks up the path again. So it finds a version even if the lookup of the
      // version's root was answered by a predecessor.
      return refuse(reply, 'forgotten');
    case 'entry':
      return done(reply.attr(attributes.ofEntry(node.tree, node.index)));
    case 'held':
      return done(reply.attr(attributes.ofHeld(node.inode)));
    case 'own':
      return done(reply.attr(attributes.ofOwn(node.directory), ownTtlSeconds(node.directory)));
    case 'sought':
      return { kind: 'version', id: node.id };
    default:
      return node satisfies never;
  }
}

function lookup({ nodeId, name }: RequestOf<'lookup'>, on: Handling): Outcome {
  const { trees, attributes, reply } = on;
  const directory = trees.node(nodeId);
  if (isName(name, DOT)) return entryOf(directory, on);
  if (isName(name, DOT_DOT)) return entryOf(parentOf(trees, directory), on);
  switch (directory?.kind) {
    case undefined:
    case 'sought':
      return refuse(reply, 'forgotten');
    case 'held':
      // A removed directory contains no names. The kernel must not cache that, because the directory may come
      // back.
      return refuse(reply, 'no-entry');
    case 'own': {
      if (name.length > LONGEST_NAME_BYTES) return refuse(reply, 'name-too-long');
      const child = trees.ownChild(directory.directory, name);
      if (child === undefined) return done(reply.negativeEntry(absentTtlSeconds(directory.directory)));
      return entryOf(child.node, on, child.ttlSeconds);
    }
    case 'entry': {
      const { tree, index } = directory;
      const { generation } = tree;
      if (!generation.isDirectory(index)) return refuse(reply, 'not-a-directory');
      // No object key results in such a long name, but the kernel accepts names of up to 1,024 bytes
      // (FUSE_NAME_MAX).
      if (name.length > LONGEST_NAME_BYTES) return refuse(reply, 'name-too-long');
      const child = generation.lookup(index, name);
      return done(child < 0 ? reply.negativeEntry() : reply.entry(attributes.ofEntry(tree, child)));
    }
    default:
      return directory satisfies never;
  }
}

/**
 * Replies to LOOKUP with a node. The kernel looks up "." and ".." only for a file handle
 * (name_to_handle_at(2), an NFS client) whose inode it no longer holds. If the node is a replaced file
 * version or a removed directory, the reply is ESTALE: the kernel does not hold the node, so dagmount need
 * not keep it.
 */
function entryOf(node: Node | undefined, { attributes, reply }: Handling, ttlSeconds?: number): Outcome {
  switch (node?.kind) {
    case undefined:
    case 'held':
      return refuse(reply, 'forgotten');
    case 'entry':
      return done(reply.entry(attributes.ofEntry(node.tree, node.index), ttlSeconds));
    case 'own':
      return done(reply.entry(attributes.ofOwn(node.directory), ownTtlSeconds(node.directory)));
    case 'sought':
      // The kernel must not use these attributes (TTL 0). It asks for them again with GETATTR, and holds no
      // lock while it waits.
      return done(reply.entry(attributes.ofSought(node.rootId, node.parent), 0));
    default:
      return node satisfies never;
  }
}

/**
 * Returns the directory that contains a node, or that contained a removed node; undefined if it is unknown.
 */
function parentOf(trees: MountedTrees, node: Node | undefined): Node | undefined {
  switch (node?.kind) {
    case undefined:
      return undefined;
    case 'entry':
      return trees.node(node.tree.placement.parentNodeId(node.tree.generation, node.index));
    case 'held':
      return trees.node(node.inode.parentId);
    case 'own':
      return trees.node(node.directory.parentId);
    case 'sought':
      return trees.node(node.parent.nodeId);
    default:
      return node satisfies never;
  }
}

function isName(name: Uint8Array, other: Uint8Array): boolean {
  return name.length === other.length && name.every((byte, at) => byte === other[at]);
}

/**
 * Answers READDIR and READDIRPLUS. The kernel always sends READDIRPLUS, because INIT negotiated it without
 * READDIRPLUS_AUTO. Such a listing includes all lookups, so that a scan sends no other requests.
 */
function readDirectory(request: RequestOf<'readdir'> | RequestOf<'readdirplus'>, on: Handling): Outcome {
  const { trees, attributes, reply } = on;
  const plus = request.kind === 'readdirplus';
  reply.begin(request.uniqueHigh, request.uniqueLow, request.size);
  const node = trees.node(request.nodeId);
  const parentId = parentIdOf(node);
  if (node === undefined || node.kind === 'sought' || parentId === undefined)
    return refuse(reply, 'forgotten');
  if (!isDirectory(node)) return refuse(reply, 'not-a-directory');

  const { offsetHigh, offsetLow } = request;
  const directoryMode = attributes.mode(true, false);
  const dot = (id: number, cookie: number, name: Uint8Array): boolean =>
    plus
      ? reply.direntPlusUncounted(id, directoryMode, 0, cookie, name)
      : reply.dirent(id, directoryMode, 0, cookie, name);
  if (offsetHigh === 0 && offsetLow < DOT_COOKIE && !dot(request.nodeId, DOT_COOKIE, DOT)) return ANSWERED;
  if (offsetHigh === 0 && offsetLow < DOT_DOT_COOKIE && !dot(parentId, DOT_DOT_COOKIE, DOT_DOT))
    return ANSWERED;
  if (node.kind === 'held') return ANSWERED;
  return node.kind === 'own' ? ownNames(node, request, on) : names(node, request, on);
}

function isDirectory(node: Exclude<Node, { readonly kind: 'sought' }>): boolean {
  if (node.kind === 'entry') return node.tree.generation.isDirectory(node.index);
  return node.kind === 'own' || node.inode.directory;
}

function parentIdOf(node: Node | undefined): number | undefined {
  switch (node?.kind) {
    case undefined:
      return undefined;
    case 'entry':
      return node.tree.placement.parentNodeId(node.tree.generation, node.index);
    case 'held':
      return node.inode.parentId;
    case 'own':
      return node.directory.parentId;
    case 'sought':
      return node.parent.nodeId;
    default:
      return node satisfies never;
  }
}

function names(
  { tree, index }: Extract<Node, { readonly kind: 'entry' }>,
  { kind, offsetHigh, offsetLow }: RequestOf<'readdir'> | RequestOf<'readdirplus'>,
  { attributes, reply }: Handling,
): Outcome {
  const { generation, placement } = tree;
  const plus = kind === 'readdirplus';
  const end = generation.childrenEnd(index);
  for (let child = generation.seek(index, offsetHigh, offsetLow); child < end; child++) {
    const high = generation.cookieHigh(child);
    const low = generation.cookieLow(child);
    const name = generation.name(child);
    const fits = plus
      ? reply.direntPlus(attributes.ofEntry(tree, child), high, low, name)
      : reply.dirent(
          placement.nodeId(generation, child),
          attributes.mode(generation.isDirectory(child), generation.isExecutable(child)),
          high,
          low,
          name,
        );
    if (!fits) break;
  }
  return ANSWERED;
}

/** Lists one of the mount's own directories, which contain only directories. */
function ownNames(
  { directory }: Extract<Node, { readonly kind: 'own' }>,
  { kind, offsetHigh, offsetLow }: RequestOf<'readdir'> | RequestOf<'readdirplus'>,
  { trees, attributes, reply }: Handling,
): Outcome {
  const plus = kind === 'readdirplus';
  for (const { name, cookie, node, ttlSeconds } of trees.ownChildren(
    directory,
    offsetHigh * 2 ** 32 + offsetLow,
  )) {
    if (node.kind !== 'entry' && node.kind !== 'own') continue;
    const shown =
      node.kind === 'own' ? attributes.ofOwn(node.directory) : attributes.ofEntry(node.tree, node.index);
    const high = Math.floor(cookie / 2 ** 32);
    const low = cookie % 2 ** 32;
    const fits = plus
      ? reply.direntPlus(shown, high, low, name, ttlSeconds)
      : reply.dirent(shown.ino, shown.mode, high, low, name);
    if (!fits) break;
  }
  return ANSWERED;
}

function read({ nodeId, offset, size }: RequestOf<'read'>, { trees, reply }: Handling): Outcome {
  const node = trees.node(nodeId);
  if (node === undefined || node.kind === 'sought') return refuse(reply, 'forgotten');
  if (isDirectory(node) || node.kind === 'own') return refuse(reply, 'is-a-directory');
  const file = node.kind === 'entry' ? fileOf(node) : node.inode;
  // The reply must contain all bytes up to the end of the file, or an error: a short reply would truncate the
  // size that the kernel has cached.
  const length = Math.min(size, Math.max(0, file.size - offset));
  if (length === 0) return done(reply.data(0));
  if (file.archived) return refuse(reply, 'archived');
  const version = node.kind === 'entry' ? node.tree.generation.version(node.index) : node.inode.version;
  if (version === undefined) return refuse(reply, 'forgotten');
  return { kind: 'content', range: { nodeId, version, position: offset, length } };
}

function fileOf({ tree: { generation }, index }: Extract<Node, { readonly kind: 'entry' }>) {
  return { size: generation.size(index), archived: generation.isArchived(index) };
}

/** Replies with the value of an attribute, with the value's length if `size` is 0, or with a refusal. */
export function attribute(value: Uint8Array | Refusal, size: number, reply: ReplyWriter): Outcome {
  if (typeof value === 'string') return refuse(reply, value);
  if (size === 0) return done(reply.xattrSize(value.length));
  return value.length > size ? refuse(reply, 'attribute-too-long') : done(reply.bytes(value));
}

function done(_length: number): Outcome {
  return ANSWERED;
}

function refuse(reply: ReplyWriter, refusal: Refusal): Outcome {
  reply.error(errnoOf(refusal));
  return ANSWERED;
}
