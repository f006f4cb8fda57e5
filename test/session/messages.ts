import { OPCODES, type RequestKind } from '../../src/wire/index.ts';

const HEADER_BYTES = 40;
const OPCODE_OF: ReadonlyMap<string, number> = new Map(OPCODES.map(({ name, opcode }) => [name, opcode]));

/** The sender of a request. */
export interface Sender {
  readonly unique?: number;
  /** The high half of unique. With the bit 0x80000000, the kernel sends the request again. */
  readonly uniqueHigh?: number;
  readonly uid?: number;
  readonly pid?: number;
}

/** A request as the kernel sends it: its header, and the body. */
export function requestBytes(
  opcode: RequestKind | number,
  node: number,
  body: Uint8Array = Buffer.alloc(0),
  { unique = 6, uniqueHigh = 0, uid = 0, pid = 0 }: Sender = {},
): Buffer {
  const number = typeof opcode === 'number' ? opcode : OPCODE_OF.get(opcode);
  if (number === undefined) throw new Error(`no opcode is called ${opcode}`);
  const [low, high] = [node % 2 ** 32, Math.floor(node / 2 ** 32)];
  const header = words(HEADER_BYTES + body.length, number, unique, uniqueHigh, low, high, uid, 0, pid, 0);
  return Buffer.concat([header, body]);
}

/** Packs each value into 32 bits. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  return bytes;
}

/** A name as it follows a body: with its NUL. */
export function name(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The body of READ, READDIR and READDIRPLUS. */
export function range(offset: number, size: number): Buffer {
  return words(0, 0, offset, 0, size, 0, 0, 0, 0, 0);
}

/** A reply to the kernel, or a notification. A notification has unique 0, and its code in place of the error. */
export interface ReplyMessage {
  readonly unique: number;
  /** 0, or a negative errno. */
  readonly error: number;
  readonly body: Buffer;
}

export function replyMessage(bytes: Uint8Array): ReplyMessage {
  const copy = Buffer.from(bytes);
  if (copy.readUInt32LE(0) !== copy.length) throw new Error('a reply is not as long as it says');
  return { unique: Number(copy.readBigUInt64LE(8)), error: copy.readInt32LE(4), body: copy.subarray(16) };
}
