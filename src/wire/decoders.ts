import { FUSE_INIT_EXT } from './constants.ts';
import { readU64 } from './numbers.ts';
import type {
  AccessRequest,
  BatchForgetRequest,
  Forget,
  ForgetRequest,
  GetxattrRequest,
  InitRequest,
  InterruptRequest,
  ListxattrRequest,
  LookupRequest,
  MutationRequest,
  OpenRequest,
  PlainRequest,
  ReaddirRequest,
  ReadRequest,
  RequestHeader,
} from './requests.ts';
import {
  fuse_access_in,
  fuse_batch_forget_in,
  fuse_forget_in,
  fuse_forget_one,
  fuse_getxattr_in,
  fuse_in_header,
  fuse_init_in,
  fuse_interrupt_in,
  fuse_open_in,
  fuse_read_in,
} from './structs.ts';

/**
 * Decodes the message whose header is at `at` and whose body ends at `end`. The body has at least the minimum
 * size from the opcode table. The view must cover the same memory as the bytes. Returns a string if the
 * message is malformed: the reason.
 * Each decoder creates its result as one literal that names every field, which takes V8 10 ns. To spread the
 * header and then add fields takes 4 us. A class with a base class takes 2 us, because the base's stores see
 * every subclass's shape.
 */
export type Decoder<Result> = (
  header: RequestHeader,
  view: DataView,
  at: number,
  end: number,
  bytes: Uint8Array,
) => Result | string;

const BODY = fuse_in_header.sizeof;
const NO_NUL = 'a name without its NUL';
const EMPTY_NAME = 'an empty name';

/**
 * Returns the position of the NUL that ends the name at `start`, or -1. For short names this loop is faster
 * than indexOf, which calls into C++.
 */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0) {
      return at;
    }
  }
  return -1;
}

export function plain<const Kind extends string>(kind: Kind): Decoder<PlainRequest<Kind>> {
  return (header) => ({
    kind,
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
  });
}

export function mutating<const Kind extends string>(kind: Kind): Decoder<MutationRequest<Kind>> {
  return (header) => ({
    kind,
    mutation: true,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
  });
}

export const lookup: Decoder<LookupRequest> = (header, _view, at, end, bytes) => {
  const start = at + BODY;
  const nul = nameEnd(bytes, start, end);
  if (nul <= start) {
    return nul < 0 ? NO_NUL : EMPTY_NAME;
  }
  return {
    kind: 'lookup',
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    name: bytes.subarray(start, nul),
  };
};

export const forget: Decoder<ForgetRequest> = (header, view, at) => {
  const nlookup = readU64(view, at + BODY + fuse_forget_in.nlookup);
  return nlookup < 0
    ? 'a lookup count of 2^53 or more'
    : {
        kind: 'forget',
        mutation: false,
        uniqueHigh: header.uniqueHigh,
        uniqueLow: header.uniqueLow,
        opcode: header.opcode,
        nodeId: header.nodeId,
        uid: header.uid,
        gid: header.gid,
        pid: header.pid,
        nlookup,
      };
};

export const batchForget: Decoder<BatchForgetRequest> = (header, view, at, end) => {
  const count = view.getUint32(at + BODY + fuse_batch_forget_in.count, true);
  const first = at + BODY + fuse_batch_forget_in.sizeof;
  if (count * fuse_forget_one.sizeof > end - first) {
    return 'more forgets announced than sent';
  }
  const forgets: Forget[] = [];
  for (let one = first; forgets.length < count; one += fuse_forget_one.sizeof) {
    const nodeId = readU64(view, one + fuse_forget_one.nodeid);
    const nlookup = readU64(view, one + fuse_forget_one.nlookup);
    if (nodeId < 0 || nlookup < 0) {
      return 'a node id or lookup count of 2^53 or more';
    }
    forgets.push({ nodeId, nlookup });
  }
  return {
    kind: 'batch_forget',
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    forgets,
  };
};

export function opening<const Kind extends 'open' | 'opendir'>(kind: Kind): Decoder<OpenRequest<Kind>> {
  return (header, view, at) => ({
    kind,
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    flags: view.getUint32(at + BODY + fuse_open_in.flags, true),
  });
}

export const read: Decoder<ReadRequest> = (header, view, at) => {
  const offset = readU64(view, at + BODY + fuse_read_in.offset);
  return offset < 0
    ? 'an offset of 2^53 or more'
    : {
        kind: 'read',
        mutation: false,
        uniqueHigh: header.uniqueHigh,
        uniqueLow: header.uniqueLow,
        opcode: header.opcode,
        nodeId: header.nodeId,
        uid: header.uid,
        gid: header.gid,
        pid: header.pid,
        offset,
        size: view.getUint32(at + BODY + fuse_read_in.size, true),
      };
};

export function listing<const Kind extends 'readdir' | 'readdirplus'>(
  kind: Kind,
): Decoder<ReaddirRequest<Kind>> {
  return (header, view, at) => ({
    kind,
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    offsetHigh: view.getUint32(at + BODY + fuse_read_in.offset + 4, true),
    offsetLow: view.getUint32(at + BODY + fuse_read_in.offset, true),
    size: view.getUint32(at + BODY + fuse_read_in.size, true),
  });
}

export const getxattr: Decoder<GetxattrRequest> = (header, view, at, end, bytes) => {
  const start = at + BODY + fuse_getxattr_in.sizeof;
  const nul = nameEnd(bytes, start, end);
  if (nul <= start) {
    return nul < 0 ? NO_NUL : EMPTY_NAME;
  }
  const size = view.getUint32(at + BODY + fuse_getxattr_in.size, true);
  return {
    kind: 'getxattr',
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    name: bytes.subarray(start, nul),
    size,
  };
};

export const listxattr: Decoder<ListxattrRequest> = (header, view, at) => ({
  kind: 'listxattr',
  mutation: false,
  uniqueHigh: header.uniqueHigh,
  uniqueLow: header.uniqueLow,
  opcode: header.opcode,
  nodeId: header.nodeId,
  uid: header.uid,
  gid: header.gid,
  pid: header.pid,
  size: view.getUint32(at + BODY + fuse_getxattr_in.size, true),
});

export const access: Decoder<AccessRequest> = (header, view, at) => ({
  kind: 'access',
  mutation: false,
  uniqueHigh: header.uniqueHigh,
  uniqueLow: header.uniqueLow,
  opcode: header.opcode,
  nodeId: header.nodeId,
  uid: header.uid,
  gid: header.gid,
  pid: header.pid,
  mask: view.getUint32(at + BODY + fuse_access_in.mask, true),
});

export const interrupt: Decoder<InterruptRequest> = (header, view, at) => ({
  kind: 'interrupt',
  mutation: false,
  uniqueHigh: header.uniqueHigh,
  uniqueLow: header.uniqueLow,
  opcode: header.opcode,
  nodeId: header.nodeId,
  uid: header.uid,
  gid: header.gid,
  pid: header.pid,
  targetHigh: view.getUint32(at + BODY + fuse_interrupt_in.unique + 4, true),
  targetLow: view.getUint32(at + BODY + fuse_interrupt_in.unique, true),
});

/**
 * Decodes INIT. The minor version decides how long the body is: 16 bytes before 7.36. A kernel of another
 * major version may send anything after the two version numbers. Missing fields are read as 0.
 */
export const init: Decoder<InitRequest> = (header, view, at, end) => {
  const word = (field: number): number =>
    at + BODY + field + 4 <= end ? view.getUint32(at + BODY + field, true) : 0;
  const low = BigInt(word(fuse_init_in.flags));
  const high = (low & FUSE_INIT_EXT) === 0n ? 0n : BigInt(word(fuse_init_in.flags2));
  return {
    kind: 'init',
    mutation: false,
    uniqueHigh: header.uniqueHigh,
    uniqueLow: header.uniqueLow,
    opcode: header.opcode,
    nodeId: header.nodeId,
    uid: header.uid,
    gid: header.gid,
    pid: header.pid,
    major: word(fuse_init_in.major),
    minor: word(fuse_init_in.minor),
    maxReadahead: word(fuse_init_in.max_readahead),
    flags: low | (high << 32n),
  };
};
