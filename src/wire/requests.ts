import type { ByteCount, CookieHalf, NodeId, UniqueHalf } from './numbers.ts';

/** What every request carries. `uniqueHigh` and `uniqueLow` go into the reply as they are. */
export interface RequestHeader {
  readonly uniqueHigh: UniqueHalf;
  readonly uniqueLow: UniqueHalf;
  readonly opcode: number;
  /** -1 where it is 2^53 or more, which only a malformed request has. */
  readonly nodeId: NodeId;
  /** The caller; for a READ the reader, also for readahead. The kernel's own requests (FORGET) have 0. */
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** A request that asks for nothing but its header, or whose body does not matter to the answer. */
export interface PlainRequest<Kind extends string> extends RequestHeader {
  readonly kind: Kind;
  readonly mutation: false;
}

/** A request to change something. Its body is not interpreted, since the answer is EROFS whatever it says. */
export interface MutationRequest<Kind extends string> extends RequestHeader {
  readonly kind: Kind;
  readonly mutation: true;
}

/** `name` is a view into the receive buffer: it holds until the next message is read into that. */
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
  /** Bytes wanted; fewer may be answered only at the end of the file (a short read truncates its cached size). */
  readonly size: ByteCount;
}

export interface ReaddirRequest<Kind extends 'readdir' | 'readdirplus'> extends PlainRequest<Kind> {
  /** The cookie of the last entry that was seen; 0, 0 at the start. */
  readonly offsetHigh: CookieHalf;
  readonly offsetLow: CookieHalf;
  /** The most bytes that the answer's body may have. */
  readonly size: ByteCount;
}

/** `name` holds until the next message is read. `size` 0 asks how long the value is. */
export interface GetxattrRequest extends PlainRequest<'getxattr'> {
  readonly name: Uint8Array;
  readonly size: ByteCount;
}

/** `size` 0 asks how long the list is. */
export interface ListxattrRequest extends PlainRequest<'listxattr'> {
  readonly size: ByteCount;
}

export interface AccessRequest extends PlainRequest<'access'> {
  readonly mask: number;
}

/** Takes no reply of its own. `targetHigh`, `targetLow` are the unique of the request to interrupt. */
export interface InterruptRequest extends PlainRequest<'interrupt'> {
  readonly targetHigh: UniqueHalf;
  readonly targetLow: UniqueHalf;
}

export interface InitFields {
  readonly major: number;
  readonly minor: number;
  /** Bytes. */
  readonly maxReadahead: ByteCount;
  /** Both words of flags; bits 32 and above are 0 where the kernel does not set FUSE_INIT_EXT. */
  readonly flags: bigint;
}

export interface InitRequest extends PlainRequest<'init'>, InitFields {}

/**
 * A message that is not what its opcode demands. `answerable` is false where a reply would be wrong: the
 * unique could not be read or is 0 (that would be a notification), or the request takes none.
 */
export interface MalformedRequest extends RequestHeader {
  readonly kind: 'malformed';
  readonly mutation: false;
  readonly answerable: boolean;
  /** For the log. */
  readonly reason: string;
}

/** An opcode that is not in the table. */
export interface UnknownRequest extends RequestHeader {
  readonly kind: 'unknown';
  readonly mutation: false;
  readonly answerable: boolean;
}
