import { ReleaseError } from '../release-error.ts';

/** Reads SSH's binary encoding (RFC 4251, section 5) to its end. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  /** @param what the name of the structure, for errors */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  /** Reads bytes that have no length before them. */
  raw(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.#wrong('it is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return this.raw(4).readUInt32BE();
  }

  /** Reads bytes that have their length before them, in four bytes. */
  string(): Buffer {
    return this.raw(this.uint32());
  }

  text(): string {
    return this.string().toString('latin1');
  }

  /** Reads an integer that is not negative. Returns its bytes, big-endian, without leading zeros. */
  unsigned(): Buffer {
    const bytes = this.string();
    if (bytes.length > 0 && bytes[0]! >= 0x80) throw this.#wrong('it has a negative number');
    let start = 0;
    while (bytes[start] === 0) start++;
    return bytes.subarray(start);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#wrong('bytes follow behind its end');
  }

  #wrong(reason: string): ReleaseError {
    return new ReleaseError(
      'malformed',
      `${this.#what} cannot be read: ${reason}`,
      'Sign with ssh-keygen of OpenSSH 8.1 or later.',
    );
  }
}

/** Returns the bytes with their length before them, in four bytes. */
export function wireString(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}
