import { createHash } from 'node:crypto';
import { markDigest } from '../../../../src/base/content-digest.ts';
import type { ContentRequest } from '../../../../src/cache/receive.ts';
import type { ReleasedFile } from '../../../../src/release/index.ts';
import { KeptWholes } from '../../../../src/source/release/content/kept-wholes.ts';
import type { GetOptions, ObjectBody } from '../../../../src/store/object-store.ts';
import { StoreError } from '../../../../src/store/store-error.ts';

export function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Packs in memory, below a release root. Records what is requested of them. */
export class Packs {
  readonly objects = new Map<string, Uint8Array>();
  /** `key start-end`, in order. */
  readonly asked: string[] = [];
  /** The number of bytes that were sent. */
  sent = 0;
  /** Called before each answer. */
  before: (key: string) => void | Promise<void> = () => undefined;
  /** How many bytes of a body come at a time. */
  partBytes = 4;

  /** Writes one pack of these contents, given by path. */
  write(contents: Readonly<Record<string, string>>, executable = false): readonly ReleasedFile[] {
    const bytes = Buffer.from(Object.values(contents).join(''));
    const pack = sha256Of(bytes);
    this.objects.set(`packs/${pack}`, bytes);
    let offset = 0;
    return Object.entries(contents).map(([path, text]) => {
      const size = Buffer.byteLength(text);
      const place = size === 0 ? undefined : { pack, offset };
      offset += size;
      return { path, size, sha256: sha256Of(text), executable, place };
    });
  }

  async get(key: string, { range, signal }: GetOptions): Promise<ObjectBody> {
    signal.throwIfAborted();
    const { start = 0, end = Number.POSITIVE_INFINITY } = range ?? {};
    this.asked.push(`${key} ${start}-${end}`);
    await this.before(key);
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new StoreError('gone', key, 'Put it back.', false);
    const asked = bytes.subarray(start, end);
    const { partBytes } = this;
    const sending = (bytes: Uint8Array): Uint8Array => {
      this.sent += bytes.length;
      return bytes;
    };
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < asked.length; at += partBytes) {
        signal.throwIfAborted();
        yield sending(asked.subarray(at, at + partBytes));
      }
    }
    return { etag: 'x', size: bytes.length, lastModified: 0, versionId: undefined, body: body() };
  }
}

/** For a disk that accepts nothing. */
export const noWholes = new KeptWholes({
  openSpool: () => undefined,
  limitBytes: 0,
  clock: { alarm: () => () => undefined },
});

/** The request that the cache makes for a file. */
export function requestFor(
  { sha256, size, place }: ReleasedFile,
  more: Partial<ContentRequest> = {},
): ContentRequest {
  return {
    signal: new AbortController().signal,
    priority: 'background',
    ifMatch: markDigest(sha256),
    size,
    place,
    ...more,
  };
}

export async function textOf({ body }: ObjectBody): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}
