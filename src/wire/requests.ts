import type { ByteCount, CookieHalf, NodeId, UniqueHalf } from './numbers.ts';

/** The fields that every request has. `uniqueHigh` and `uniqueLow` are copied into the reply. */
export interface RequestHeader {
  readonly uniqueHigh: UniqueHalf;
  readonly uniqueLow: UniqueHalf;
  readonly opcode: number;
  /** -1 if the node id is 2^53 or more, which occurs only in a malformed request. */
  readonly nodeId: NodeId;
  /**
   * The caller's uid; for a READ, also if it is readahead, the reader's uid. It is 0 for the kernel's own
   * requests (FORGET).
   */
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** A request that consists only of its header, or whose body does not affect the reply. */
export interface PlainRequest<Kind extends string> extends RequestHeader {
  readonly kind: Kind;
  readonly mutation: false;
}

/**
 * A request to change something. The reply is always EROFS, so the body of the request is not interpreted.
 */
export interface MutationRequest<Kind extends string> extends RequestHeader {
  readonly kind: Kind;
  readonly mutation: true;
}

/** `name` is a view into the receive buffer. It is valid until the next message is read into that buffer. */
export interface LookupRequest extends PlainRequest<'lookup'> {
  readonly name: Uint8Array;
}

export interface ForgetRequest extends PlainRequest<'forget'> {
  readonly nlookup: number;
}

export interface Forget {
  readonly nodeId: NodeId;
  readonly nlookup: number;
}

export interface BatchForgetRequest extends PlainRequest<'batch_forget'> {
  readonly forgets: readonly Forget[];
}

export interface OpenRequest<Kind extends 'open' | 'opendir'> extends PlainRequest<Kind> {
  /** O_ flags of open(2). */
  readonly flags: number;
}

export interface ReadRequest extends PlainRequest<'read'> {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /**
   * Bytes requested. A shorter reply is allowed only at the end of the file, because it truncates the
   * kernel's cached size.
   */
  readonly size: ByteCount;
}

export interface ReaddirRequest<Kind extends 'readdir' | 'readdirplus'> extends PlainRequest<Kind> {
  /** The cookie of the last entry that was returned; both halves are 0 at the start. */
  readonly offsetHigh: CookieHalf;
  readonly offsetLow: CookieHalf;
  /** The maximum size of the reply's body in bytes. */
  readonly size: ByteCount;
}

/** `name` is valid until the next message is read. `size` 0 asks for the length of the value. */
export interface GetxattrRequest extends PlainRequest<'getxattr'> {
  readonly name: Uint8Array;
  readonly size: ByteCount;
}

/** `size` 0 asks for the length of the list. */
export interface ListxattrRequest extends PlainRequest<'listxattr'> {
  readonly size: ByteCount;
}

export interface AccessRequest extends PlainRequest<'access'> {
  readonly mask: number;
}

/**
 * INTERRUPT, which has no reply of its own. `targetHigh` and `targetLow` are the two halves of the id (FUSE's
 * field `unique`) of the request to interrupt.
 */
export interface InterruptRequest extends PlainRequest<'interrupt'> {
  readonly targetHigh: UniqueHalf;
  readonly targetLow: UniqueHalf;
}

export interface InitFields {
  readonly major: number;
  readonly minor: number;
  /** Bytes. */
  readonly maxReadahead: ByteCount;
  /** Both words of flags; bits 32 and above are 0 if the kernel does not set FUSE_INIT_EXT. */
  readonly flags: bigint;
}

export interface InitRequest extends PlainRequest<'init'>, InitFields {}

/**
 * A message that does not have the form that its opcode requires. `answerable` is false if a reply would be
 * wrong: the unique could not be read or is 0 (the reply would then be a notification), or the request takes
 * no reply.
 */
export interface MalformedRequest extends RequestHeader {
  readonly kind: 'malformed';
  readonly mutation: false;
  readonly answerable: boolean;
  /** A text for the log. */
  readonly reason: string;
}

/** A request whose opcode is not in the table. */
export interface UnknownRequest extends RequestHeader {
  readonly kind: 'unknown';
  readonly mutation: false;
  readonly answerable: boolean;
}
