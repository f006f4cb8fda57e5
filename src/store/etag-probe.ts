import { bareEtag } from './etag.ts';
import type { Md5Check } from './md5-trust.ts';
import type { ObjectBody, ObjectStore } from './object-store.ts';
import type { Stop } from './stop.ts';

/** An object as it was listed. */
export interface ListedObject {
  readonly key: string;
  /** Empty: none. */
  readonly etag: string;
}

/** Counts of objects, by how their ETags in the listing, by GET and of their content compare. */
export interface EtagSample {
  readonly objects: number;
  /** Without an ETag in the listing. */
  readonly unlisted: number;
  /** Without an ETag in the answer to GET. */
  readonly without: number;
  /** With another ETag in the answer to GET than in the listing. */
  readonly differing: number;
  /** Whose ETag looks like an MD5, and is that of the content, or is not. */
  readonly md5: { readonly right: number; readonly wrong: number };
}

/** Counts ETags that look like an MD5, and lets all content pass. To be given to the store that is probed. */
export class Md5Counter {
  right = 0;
  wrong = 0;

  of(): Md5Check {
    return (found, etag) => {
      if (found === etag) this.right += 1;
      else this.wrong += 1;
      return true;
    };
  }
}

/** Reads these objects whole, and compares the ETags of the answers with the listing's and with the MD5s of the content. */
export async function sampleEtags(
  store: Pick<ObjectStore, 'get'>,
  md5: Md5Counter,
  objects: readonly ListedObject[],
  signal: Stop,
): Promise<EtagSample> {
  let without = 0;
  let differing = 0;
  for (const { key, etag } of objects) {
    const answer = await store.get(key, { signal, withoutEtag: true });
    await readWhole(answer);
    if (answer.etag === '') without += 1;
    else if (etag !== '' && answer.etag !== bareEtag(etag)) differing += 1;
  }
  const unlisted = objects.filter(({ etag }) => etag === '').length;
  const { right, wrong } = md5;
  return { objects: objects.length, unlisted, without, differing, md5: { right, wrong } };
}

async function readWhole({ body }: ObjectBody): Promise<void> {
  for await (const _ of body);
}
