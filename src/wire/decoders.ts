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
  fuse_init_in,
  fuse_interrupt_in,
  fuse_open_in,
  fuse_read_in,
} from './structs.ts';

/**
 * Reads the body of one request, bytes[start, end), which holds at least the row's minimal size. The view
 * covers the same memory as the bytes. A string says in what way the body is malformed.
 *
 * Results spread the header that was read once: V8 clones it in one step, so a decoder stays a literal.
 */
export type Decoder<Result> = (
  header: RequestHeader,
  view: DataView,
  start: number,
  end: number,
  bytes: Uint8Array,
) => Result | string;

const NO_NUL = 'a name without its NUL';
const EMPTY_NAME = 'an empty name';

/** The end of the NUL-terminated name at `start`, or -1. (For names this beats indexOf's call into C++.) */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0) {
      return at;
    }
  }
  return -1;
}

export function plain<const Kind extends string>(kind: Kind): Decoder<PlainRequest<Kind>> {
  return (header) => ({ ...header, kind, mutation: false });
}

export function mutating<const Kind extends string>(kind: Kind): Decoder<MutationRequest<Kind>> {
  return (header) => ({ ...header, kind, mutation: true });
}

export const lookup: Decoder<LookupRequest> = (header, _view, start, end, bytes) => {
  const nul = nameEnd(bytes, start, end);
  if (nul <= start) {
    return nul < 0 ? NO_NUL : EMPTY_NAME;
  }
  return { ...header, kind: 'lookup', mutation: false, name: bytes.subarray(start, nul) };
};

export const forget: Decoder<ForgetRequest> = (header, view, start) => {
  const nlookup = readU64(view, start + fuse_forget_in.nlookup);
  return nlookup < 0
    ? 'a lookup count of 2^53 or more'
    : { ...header, kind: 'forget', mutation: false, nlookup };
};

export const batchForget: Decoder<BatchForgetRequest> = (header, view, start, end) => {
  const count = view.getUint32(start + fuse_batch_forget_in.count, true);
  const first = start + fuse_batch_forget_in.sizeof;
  if (count * fuse_forget_one.sizeof > end - first) {
    return 'more forgets announced than sent';
  }
  const forgets: Forget[] = [];
  for (let at = first; forgets.length < count; at += fuse_forget_one.sizeof) {
    const nodeId = readU64(view, at + fuse_forget_one.nodeid);
    const nlookup = readU64(view, at + fuse_forget_one.nlookup);
    if (nodeId < 0 || nlookup < 0) {
      return 'a node id or lookup count of 2^53 or more';
    }
    forgets.push({ nodeId, nlookup });
  }
  return { ...header, kind: 'batch_forget', mutation: false, forgets };
};

export function opening<const Kind extends 'open' | 'opendir'>(kind: Kind): Decoder<OpenRequest<Kind>> {
  return (header, view, start) => ({
    ...header,
    kind,
    mutation: false,
    flags: view.getUint32(start + fuse_open_in.flags, true),
  });
}

export const read: Decoder<ReadRequest> = (header, view, start) => {
  const offset = readU64(view, start + fuse_read_in.offset);
  if (offset < 0) {
    return 'an offset of 2^53 or more';
  }
  return {
    ...header,
    kind: 'read',
    mutation: false,
    offset,
    size: view.getUint32(start + fuse_read_in.size, true),
  };
};

export function listing<const Kind extends 'readdir' | 'readdirplus'>(
  kind: Kind,
): Decoder<ReaddirRequest<Kind>> {
  return (header, view, start) => ({
    ...header,
    kind,
    mutation: false,
    offsetHigh: view.getUint32(start + fuse_read_in.offset + 4, true),
    offsetLow: view.getUint32(start + fuse_read_in.offset, true),
    size: view.getUint32(start + fuse_read_in.size, true),
  });
}

export const getxattr: Decoder<GetxattrRequest> = (header, view, start, end, bytes) => {
  const nameStart = start + fuse_getxattr_in.sizeof;
  const nul = nameEnd(bytes, nameStart, end);
  if (nul <= nameStart) {
    return nul < 0 ? NO_NUL : EMPTY_NAME;
  }
  return {
    ...header,
    kind: 'getxattr',
    mutation: false,
    name: bytes.subarray(nameStart, nul),
    size: view.getUint32(start + fuse_getxattr_in.size, true),
  };
};

export const listxattr: Decoder<ListxattrRequest> = (header, view, start) => ({
  ...header,
  kind: 'listxattr',
  mutation: false,
  size: view.getUint32(start + fuse_getxattr_in.size, true),
});

export const access: Decoder<AccessRequest> = (header, view, start) => ({
  ...header,
  kind: 'access',
  mutation: false,
  mask: view.getUint32(start + fuse_access_in.mask, true),
});

export const interrupt: Decoder<InterruptRequest> = (header, view, start) => ({
  ...header,
  kind: 'interrupt',
  mutation: false,
  targetHigh: view.getUint32(start + fuse_interrupt_in.unique + 4, true),
  targetLow: view.getUint32(start + fuse_interrupt_in.unique, true),
});

/**
 * The minor version decides how long the body is: 16 bytes before 7.36, and a kernel of another major
 * version may send anything after the two version numbers. So absent fields read as 0.
 */
export const init: Decoder<InitRequest> = (header, view, start, end) => {
  const word = (field: number): number =>
    start + field + 4 <= end ? view.getUint32(start + field, true) : 0;
  const low = BigInt(word(fuse_init_in.flags));
  const high = (low & FUSE_INIT_EXT) === 0n ? 0n : BigInt(word(fuse_init_in.flags2));
  return {
    ...header,
    kind: 'init',
    mutation: false,
    major: word(fuse_init_in.major),
    minor: word(fuse_init_in.minor),
    maxReadahead: word(fuse_init_in.max_readahead),
    flags: low | (high << 32n),
  };
};
