/**
 * Converts messages of the FUSE kernel protocol, 7.29 to 7.45: bytes to requests, and replies and
 * notifications to bytes. Does no I/O.
 *
 *     const request = decodeRequest(bytes, view, 0, length);   // never throws
 *     reply.begin(request.uniqueHigh, request.uniqueLow);      // an empty success
 *     switch (request.kind) {
 *       case 'lookup': reply.entry(attributes); break;        // or reply.negativeEntry(), reply.error('EIO')
 *       ...
 *       case 'malformed': case 'unknown': if (request.answerable) reply.error('ENOSYS'); break;
 *     }
 *     send(buffer.subarray(0, reply.length));
 *
 * READDIR and READDIRPLUS: call reply.begin(high, low, request.size), then reply.dirent or reply.direntPlus
 * for each entry until one call returns false; in READDIRPLUS, reply.direntPlusUncounted for "." and "..".
 * READ: put the content into the buffer at REPLY_BODY_OFFSET and call reply.data(length), or call
 * reply.bytes(content).
 *
 * FORGET, BATCH_FORGET, INTERRUPT and NOTIFY_REPLY take no reply: `answered` is false in their rows of
 * OPCODES. A malformed or unknown request says whether it is `answerable`, because the kernel would take a
 * reply with unique 0 for a notification.
 */
export type { Attributes, MutableAttributes, StatfsFigures } from './attributes.ts';
export * from './constants.ts';
export { decodeHeader, decodeRequest } from './decode.ts';
export { encodeReadBody, encodeRequest } from './encode-request.ts';
export { ERRNO, type ErrnoName } from './errno.ts';
export {
  type InitReply,
  MAX_BACKGROUND,
  type NegotiateOptions,
  type Negotiation,
  negotiate,
} from './init.ts';
export {
  encodeDelete,
  encodeInvalidateEntry,
  encodeInvalidateInode,
  encodePrune,
  encodeResend,
  encodeStore,
} from './notifications.ts';
export {
  type ByteCount,
  type CookieHalf,
  FOREVER,
  type NodeId,
  requireLittleEndianHost,
  type UniqueHalf,
} from './numbers.ts';
export {
  type KnownRequest,
  OPCODES,
  opcodeName,
  type Request,
  type RequestKind,
  type RequestOf,
  ROW_OF_OPCODE,
} from './opcodes.ts';
export { REPLY_BODY_OFFSET, ReplyWriter } from './reply-writer.ts';
export type { Forget, InitFields, MutationRequest, PlainRequest, RequestHeader } from './requests.ts';
