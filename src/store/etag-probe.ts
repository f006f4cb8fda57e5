import { bareEtag } from './etag.ts';
import type { Md5Check } from './md5-trust.ts';
import type { ObjectBody, ObjectStore } from './object-store.ts';
import type { Stop } from './stop.ts';

/** An object as it was listed. */
export interface ListedObject {
  readonly key: string;
  /** Empty: the object has no ETag. */
  readonly etag: string;
}

/**
 * Counts of objects, by how three values compare: the ETag in the listing, the ETag in the answer to GET, and
 * the MD5 of the content.
 */
export interface EtagSample {
  readonly objects: number;
  /** Objects without an ETag in the listing. */
  readonly unlisted: number;
  /** Objects without an ETag in the answer to GET. */
  readonly without: number;
  /** Objects whose ETag differs between the listing and GET. */
  readonly differing: number;
  /**
   * Objects whose ETag looks like an MD5. `right` counts those whose ETag is the MD5 of the content, `wrong`
   * the others.
   */
  readonly md5: { readonly right: number; readonly wrong: number };
}

/** Counts ETags that look like an MD5 and accepts all content. Pass it to the store that is probed. */
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

/**
 * Reads each of `objects` whole. Compares the ETag of each answer with the listing and with the MD5 of the
 * content.
 */
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
