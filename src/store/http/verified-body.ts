import type { Md5Check } from '../md5-trust.ts';
import { checksumOf } from './checksum.ts';
import { corrupt, LengthError, type ObjectAnswer } from './object-answer.ts';

type Expected = Pick<ObjectAnswer, 'skip' | 'excess' | 'length' | 'checksum'>;

/**
 * Yields the requested part of a body, delayed by one chunk: the last chunk is delivered only after length and
 * checksum are verified.
 *
 * @throws {StoreError} corrupt
 */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  expected: Expected,
  md5: Md5Check,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { length, excess, checksum } = expected;
  const running = checksum?.start();
  let skip = expected.skip;
  let received = 0;
  let held: Uint8Array | undefined;
  for await (const all of chunks) {
    const chunk = all.subarray(Math.min(skip, all.length));
    skip -= all.length - chunk.length;
    if (chunk.length === 0) continue;
    const wanted = excess > 0 ? chunk.subarray(0, length - received) : chunk;
    received += wanted.length;
    if (received > length) throw new LengthError(`more than its ${length} bytes arrived`);
    running?.update(wanted);
    if (held !== undefined) yield held;
    held = wanted;
    // The rest of the body is not needed: leaving early closes the connection.
    if (excess > 0 && received === length) break;
  }
  check(received, running === undefined ? undefined : await running.finish(), expected, md5);
  if (held !== undefined) yield held;
}

/** As {@link verified}, for a body that is already complete. */
export async function verifiedWhole(all: Uint8Array, expected: Expected, md5: Md5Check): Promise<Uint8Array> {
  const { skip, excess, length, checksum } = expected;
  const wanted = skip > 0 || excess > 0 ? all.subarray(skip, skip + length) : all;
  check(wanted.length, checksum && (await checksumOf(wanted, checksum)), expected, md5);
  return wanted;
}

function check(received: number, found: string | undefined, expected: Expected, md5: Md5Check): void {
  const { length, checksum } = expected;
  if (received !== length) throw new LengthError(`only ${received} of ${length} bytes arrived`);
  if (checksum === undefined || found === undefined) return;
  const passes = checksum.name === 'md5' ? md5(found, checksum.value) : found === checksum.value;
  if (!passes) throw corrupt(`its ${checksum.name} is ${found}, but the store announced ${checksum.value}`);
}
