import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import type { Instant } from '../sync/instant.ts';
import type { SavedState } from './saved-state.ts';
import { decodeBody, lengthOf, type StateBody } from './state-body.ts';
import { StateError } from './state-error.ts';
import { checkedHead, HEAD_BYTES, newHead, readHead, sealHead } from './state-header.ts';

/**
 * How many bytes are hashed or written at a time. A slice blocks the event loop for under 2 ms, even without
 * hardware support for SHA-256.
 */
const SLICE_BYTES = 512 * 1024;
/** How many bytes are read at a time. Many, because nothing is served while a state is read. */
const READ_BYTES = 4 * 1024 * 1024;

/**
 * The content of a state file that is to be written, possibly to several places. The head is the first
 * HEAD_BYTES bytes of the file, with its format, length and checksum (state-header.ts); the body follows.
 */
export interface StateImage {
  readonly head: Buffer;
  readonly body: StateBody;
}

/**
 * Makes the head for a body, and writes the SHA-256 of head and body into the head. Hashes the body in
 * slices, and yields to the event loop in between. 10 MB take 6 ms, or 30 without hardware support for SHA.
 */
export async function sealedImage(mountId: string, body: StateBody): Promise<StateImage> {
  const head = newHead(mountId, lengthOf(body));
  const hash = createHash('sha256').update(checkedHead(head));
  for (const slice of slicesOf(body)) {
    hash.update(slice);
    if (slice.length === SLICE_BYTES) await nextTurn();
  }
  sealHead(head, hash.digest());
  return { head, body };
}

/**
 * Writes a state that is not committed yet. Rejects with the system's error, or with the signal's reason once
 * the signal is aborted.
 */
export async function writeImage(
  handle: FileHandle,
  { head, body }: StateImage,
  signal?: AbortSignal,
): Promise<void> {
  await writeAll(handle, head, 0);
  let position = head.length;
  for (const slice of slicesOf(body)) {
    signal?.throwIfAborted();
    await writeAll(handle, slice, position);
    position += slice.length;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function* slicesOf(body: StateBody): Generator<Uint8Array> {
  for (const piece of body) {
    for (let at = 0; at < piece.length; at += SLICE_BYTES) yield piece.subarray(at, at + SLICE_BYTES);
  }
}

/** A state, and the head of the file that it was read from. */
export interface ReadState {
  readonly head: Buffer;
  readonly state: SavedState;
}

/**
 * Reads a state from a file. Returns undefined if the file does not exist. Throws StateError unless the file
 * is, bit by bit, a state of this mount that was in force.
 *
 * @param known a state that was read before; if the file has the same head, the file is only verified, not
 *   decoded, and this state is returned
 */
export async function readState(
  path: string,
  mountId: string,
  known?: ReadState,
): Promise<ReadState | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT') return undefined;
    throw new StateError('unreadable', `it cannot be opened (${error.code})`);
  }
  try {
    return await readFrom(handle, mountId, known);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new StateError('unreadable', `it cannot be read (${error.code})`);
  } finally {
    await handle.close();
  }
}

async function readFrom(
  handle: FileHandle,
  mountId: string,
  known: ReadState | undefined,
): Promise<ReadState> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw new StateError('unreadable', 'it is no file');
  if (!isOwn(stats)) throw new StateError('unreadable', `it belongs to another user (uid ${stats.uid})`);
  const head = Buffer.alloc(Math.min(HEAD_BYTES, stats.size));
  await readAll(handle, head, 0);
  const { bodyBytes, checksum, checked, instant } = readHead(head, stats.size, mountId);
  const body = Buffer.allocUnsafe(bodyBytes);
  const hash = createHash('sha256').update(checked);
  for (let at = 0; at < bodyBytes; at += READ_BYTES) {
    const slice = body.subarray(at, at + READ_BYTES);
    await readAll(handle, slice, HEAD_BYTES + at);
    hash.update(slice);
  }
  if (!hash.digest().equals(checksum))
    throw new StateError('checksum', 'its content is not what was written');
  return known?.head.equals(head) === true ? known : { head, state: decoded(body, instant) };
}

/**
 * Decodes a body. Turns an unexpected error into a StateError, because it would otherwise fail every later
 * start. With a StateError, the start uses the other state file, or the store.
 */
function decoded(body: Buffer, instant: Instant): SavedState {
  try {
    return decodeBody(body, instant);
  } catch (error) {
    if (error instanceof StateError) throw error;
    throw new StateError('damaged', `it cannot be understood (${String(error)})`);
  }
}

async function readAll(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new StateError('truncated', 'it became shorter while it was read');
    done += bytesRead;
  }
}
