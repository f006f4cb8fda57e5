import { OPCODES, type RequestKind } from './opcodes.ts';
import { fuse_in_header, fuse_read_in } from './structs.ts';

export interface RequestParts {
  readonly unique: number;
  readonly nodeId: number;
  readonly body: Uint8Array;
}

/**
 * Writes a request as the kernel does, of uid 0, to the start of `into`. Returns its length in bytes. For those who
 * stand in for the kernel.
 *
 * @throws {TypeError} if no opcode has this kind
 */
export function encodeRequest(into: Uint8Array, kind: RequestKind, parts: RequestParts): number {
  const row = OPCODES.find(({ name }) => name === kind);
  if (row === undefined) throw new TypeError(`no opcode is ${kind}`);
  const { unique, nodeId, body } = parts;
  const { sizeof } = fuse_in_header;
  const length = sizeof + body.length;
  const view = new DataView(into.buffer, into.byteOffset, length);
  into.fill(0, 0, sizeof);
  view.setUint32(fuse_in_header.len, length, true);
  view.setUint32(fuse_in_header.opcode, row.opcode, true);
  view.setBigUint64(fuse_in_header.unique, BigInt(unique), true);
  view.setBigUint64(fuse_in_header.nodeid, BigInt(nodeId), true);
  into.set(body, sizeof);
  return length;
}

/** Returns the body of a READ, READDIR or READDIRPLUS from the start on, of `size` bytes. */
export function encodeReadBody(size: number): Uint8Array {
  const body = new Uint8Array(fuse_read_in.sizeof);
  new DataView(body.buffer).setUint32(fuse_read_in.size, size, true);
  return body;
}
