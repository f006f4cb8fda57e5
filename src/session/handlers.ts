import type { ContentVersion } from '../tree/index.ts';
import type { ReplyWriter, Request, RequestOf } from '../wire/index.ts';
import type { AttributeSource } from './attributes.ts';
import { errnoOf, type Refusal } from './errno.ts';
import type { AskedVersion, ExtendedAttributes } from './extended-attributes.ts';
import type { ShownTree } from './shown-tree.ts';
import { LONGEST_NAME_BYTES, statfsOf } from './statfs.ts';

/** Bytes to be read of the version that a node id stands for. */
export interface ContentRange {
  readonly nodeId: number;
  readonly version: ContentVersion;
  /** Bytes from the start of the file. */
  readonly position: number;
  readonly length: number;
}

/**
 * What became of a request: `answered` (the reply is in the writer), `silent` (it takes none), `content` (the
 * bytes are to be fetched), `version-id` (to be asked for), `interrupt` and `forget` (for the session).
 */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'content'; readonly range: ContentRange }
  /** Asked for: the id of a version, or with `size` 0 how long it is. */
  | { readonly kind: 'version-id'; readonly version: AskedVersion; readonly size: number }
  | { readonly kind: 'interrupt'; readonly target: RequestOf<'interrupt'> }
  | { readonly kind: 'forget'; readonly nodeIds: readonly number[] };

export interface Handling {
  readonly tree: ShownTree;
  readonly attributes: AttributeSource;
  readonly extended: ExtendedAttributes;
  readonly reply: ReplyWriter;
}

const ANSWERED: Outcome = { kind: 'answered' };
const SILENT: Outcome = { kind: 'silent' };
const DOT = new Uint8Array([0x2e]);
const DOT_DOT = new Uint8Array([0x2e, 0x2e]);
/** The cookies of "." and ".."; those of names start above them (src/tree). */
const DOT_COOKIE = 1;
const DOT_DOT_COOKIE = 2;

/** INIT is the session's to answer: it says what the connection is. */
export type Handled = Exclude<Request, RequestOf<'init'>>;

/** Answers one request out of the tree that is shown. Pure: it reads the tree, and writes the reply. */
export function handle(request: Handled, on: Handling): Outcome {
  const { tree, attributes, reply } = on;
  reply.begin(request.uniqueHigh, request.uniqueLow);
  if (request.mutation) return refuse(reply, 'read-only');
  switch (request.kind) {
    case 'lookup':
      return lookup(request, on);
    case 'getattr': {
      const index = tree.generation.indexOfNode(request.nodeId);
      if (index >= 0) return done(reply.attr(attributes.ofEntry(tree.generation, index)));
      const held = tree.held(request.nodeId);
      return held === undefined ? refuse(reply, 'forgotten') : done(reply.attr(attributes.ofHeld(held)));
    }
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
      return done(reply.statfs(statfsOf(tree.generation)));
    case 'getxattr': {
      const version = on.extended.versionAsked(tree, request.nodeId, request.name);
      if (version !== undefined) return { kind: 'version-id', version, size: request.size };
      return attribute(on.extended.value(tree, request.nodeId, request.name), request.size, reply);
    }
    case 'listxattr':
      return attribute(on.extended.names(tree, request.nodeId), request.size, reply);
    case 'destroy':
      return ANSWERED;
    case 'malformed':
      return request.answerable ? refuse(reply, 'malformed') : SILENT;
    case 'unknown':
      return request.answerable ? refuse(reply, 'not-implemented') : SILENT;
    case 'notify_reply':
      return SILENT;
    // ENOSYS to OPEN and OPENDIR is remembered for the connection: opens then make no upcall.
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

function lookup({ nodeId, name }: RequestOf<'lookup'>, on: Handling): Outcome {
  const { tree, attributes, reply } = on;
  const { generation } = tree;
  const directory = generation.indexOfNode(nodeId);
  if (isName(name, DOT)) return entryOf(directory, on);
  if (isName(name, DOT_DOT)) return entryOf(parentOf(tree, nodeId, directory), on);
  // In a directory that was removed nothing is found, and nothing may be remembered: it may come back.
  if (directory < 0) return refuse(reply, tree.held(nodeId) === undefined ? 'forgotten' : 'no-entry');
  if (!generation.isDirectory(directory)) return refuse(reply, 'not-a-directory');
  // No key makes such a name, but the kernel asks for up to 1,024 bytes (FUSE_NAME_MAX).
  if (name.length > LONGEST_NAME_BYTES) return refuse(reply, 'name-too-long');
  const index = generation.lookup(directory, name);
  return done(index < 0 ? reply.negativeEntry() : reply.entry(attributes.ofEntry(generation, index)));
}

/**
 * "." and ".." are looked up by node id alone, for a file handle (name_to_handle_at(2), an NFS client) whose inode the
 * kernel does not hold any more. A replaced version, or a directory that went, is ESTALE then: if the kernel does not
 * hold it, dagmount need not keep it.
 */
function entryOf(index: number, { tree, attributes, reply }: Handling): Outcome {
  if (index < 0) return refuse(reply, 'forgotten');
  return done(reply.entry(attributes.ofEntry(tree.generation, index)));
}

/** The index of the directory that holds a node, or held it; -1 where that is not shown. */
function parentOf(tree: ShownTree, nodeId: number, index: number): number {
  if (index >= 0) return tree.generation.parent(index);
  const held = tree.held(nodeId);
  return held === undefined ? -1 : tree.generation.indexOfNode(held.parentId);
}

function isName(name: Uint8Array, other: Uint8Array): boolean {
  return name.length === other.length && name.every((byte, at) => byte === other[at]);
}

/** READDIRPLUS always: the lookups of a whole listing come with it, and a scan needs no other. */
function readDirectory(
  request: RequestOf<'readdir'> | RequestOf<'readdirplus'>,
  { tree, attributes, reply }: Handling,
): Outcome {
  const { generation } = tree;
  const plus = request.kind === 'readdirplus';
  reply.begin(request.uniqueHigh, request.uniqueLow, request.size);
  const index = generation.indexOfNode(request.nodeId);
  const held = index < 0 ? tree.held(request.nodeId) : undefined;
  if (index < 0 && held === undefined) return refuse(reply, 'forgotten');
  if (!(held?.directory ?? generation.isDirectory(index))) return refuse(reply, 'not-a-directory');

  const { offsetHigh, offsetLow } = request;
  const directoryMode = attributes.mode(true, false);
  const dot = (node: number, cookie: number, name: Uint8Array): boolean =>
    plus
      ? reply.direntPlusUncounted(node, directoryMode, 0, cookie, name)
      : reply.dirent(node, directoryMode, 0, cookie, name);
  const parent = held?.parentId ?? generation.nodeId(generation.parent(index));
  if (offsetHigh === 0 && offsetLow < DOT_COOKIE && !dot(request.nodeId, DOT_COOKIE, DOT)) return ANSWERED;
  if (offsetHigh === 0 && offsetLow < DOT_DOT_COOKIE && !dot(parent, DOT_DOT_COOKIE, DOT_DOT))
    return ANSWERED;
  if (held !== undefined) return ANSWERED;

  const end = generation.childrenEnd(index);
  for (let child = generation.seek(index, offsetHigh, offsetLow); child < end; child++) {
    const high = generation.cookieHigh(child);
    const low = generation.cookieLow(child);
    const name = generation.name(child);
    const fits = plus
      ? reply.direntPlus(attributes.ofEntry(generation, child), high, low, name)
      : reply.dirent(
          generation.nodeId(child),
          attributes.mode(generation.isDirectory(child), generation.isExecutable(child)),
          high,
          low,
          name,
        );
    if (!fits) break;
  }
  return ANSWERED;
}

function read({ nodeId, offset, size }: RequestOf<'read'>, { tree, reply }: Handling): Outcome {
  const { generation } = tree;
  const index = generation.indexOfNode(nodeId);
  const held = index < 0 ? tree.held(nodeId) : undefined;
  if (index < 0 && held === undefined) return refuse(reply, 'forgotten');
  if (held?.directory ?? generation.isDirectory(index)) return refuse(reply, 'is-a-directory');
  // The exact bytes up to the end of the file, or an error: a short answer would cut the cached size.
  const length = Math.min(size, Math.max(0, (held?.size ?? generation.size(index)) - offset));
  if (length === 0) return done(reply.data(0));
  if (held?.archived ?? generation.isArchived(index)) return refuse(reply, 'archived');
  const version = held === undefined ? generation.version(index) : held.version;
  if (version === undefined) return refuse(reply, 'forgotten');
  return { kind: 'content', range: { nodeId, version, position: offset, length } };
}

/** Asked for 0 bytes, the answer is how long it is. */
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
