import { readU64 } from './numbers.ts';
import { type Request, ROW_OF_OPCODE } from './opcodes.ts';
import type { MalformedRequest, RequestHeader } from './requests.ts';
import { fuse_in_header } from './structs.ts';

/** The header at `offset`; nodeId is -1 where it is 2^53 or more. The 40 bytes must be there. */
export function decodeHeader(view: DataView, offset: number): RequestHeader {
  return {
    uniqueHigh: view.getUint32(offset + fuse_in_header.unique + 4, true),
    uniqueLow: view.getUint32(offset + fuse_in_header.unique, true),
    opcode: view.getUint32(offset + fuse_in_header.opcode, true),
    nodeId: readU64(view, offset + fuse_in_header.nodeid),
    uid: view.getUint32(offset + fuse_in_header.uid, true),
    gid: view.getUint32(offset + fuse_in_header.gid, true),
    pid: view.getUint32(offset + fuse_in_header.pid, true),
  };
}

/** What can still be told of a message shorter than a header. */
function decodeTornHeader(view: DataView, offset: number, length: number): RequestHeader {
  const word = (field: number): number => (field + 4 <= length ? view.getUint32(offset + field, true) : 0);
  const complete = length >= fuse_in_header.unique + 8;
  return {
    uniqueHigh: complete ? word(fuse_in_header.unique + 4) : 0,
    uniqueLow: complete ? word(fuse_in_header.unique) : 0,
    opcode: word(fuse_in_header.opcode),
    nodeId: 0,
    uid: 0,
    gid: 0,
    pid: 0,
  };
}

function answerable(header: RequestHeader): boolean {
  const identified = header.uniqueHigh !== 0 || header.uniqueLow !== 0;
  return identified && (ROW_OF_OPCODE[header.opcode]?.answered ?? true);
}

function malformed(header: RequestHeader, reason: string): MalformedRequest {
  const nodeId = Math.max(header.nodeId, 0);
  return {
    ...header,
    nodeId,
    kind: 'malformed',
    mutation: false,
    errno: 'EIO',
    answerable: answerable(header),
    reason,
  };
}

/**
 * Decodes the one message that a read of the device gave: bytes[offset, offset + length). The view covers the
 * same memory as the bytes. Never throws: what is not a request comes as `malformed` or `unknown`.
 *
 * Names in the result are views into `bytes`; everything else is copied.
 */
export function decodeRequest(bytes: Uint8Array, view: DataView, offset: number, length: number): Request {
  const available = Math.max(0, Math.min(length, bytes.length - offset, view.byteLength - offset));
  if (available < fuse_in_header.sizeof) {
    return malformed(decodeTornHeader(view, offset, available), 'shorter than a header');
  }
  const header = decodeHeader(view, offset);
  if (available !== length || view.getUint32(offset + fuse_in_header.len, true) !== length) {
    return malformed(header, 'not as long as its header says');
  }
  if (header.nodeId < 0) {
    return malformed(header, 'a node id of 2^53 or more');
  }
  const row = ROW_OF_OPCODE[header.opcode];
  if (row === undefined) {
    return { ...header, kind: 'unknown', mutation: false, errno: 'ENOSYS', answerable: answerable(header) };
  }
  const start = offset + fuse_in_header.sizeof;
  // Extensions (security context, supplementary groups) follow the body, counted in units of 8 bytes.
  const extensions = view.getUint16(offset + fuse_in_header.total_extlen, true) * 8;
  const end = offset + length - extensions;
  if (end - start < row.minimumBody) {
    return malformed(header, 'a truncated body');
  }
  const request = row.decode(header, view, start, end, bytes);
  return typeof request === 'string' ? malformed(header, request) : request;
}
