import { randomBytes } from 'node:crypto';
import { canonicalJson, Fields, parseCanonicalJson, ReleaseError } from '../release/index.ts';
import { DeployError } from './deploy-error.ts';
import { type ReleaseStore, type StoredObject, writeOver } from './release-store.ts';

const KEY = 'meta/probe.json';
const MOST_BYTES = 4096;
/** The number of concurrent writers that the probe simulates. */
const WRITERS = 16;

/** The store that was probed: another gateway to the same bucket may behave differently. */
export interface ProbedStore {
  readonly endpoint: string;
  readonly bucket: string;
}

/**
 * Verifies, once for each endpoint and bucket, that the store honours conditional writes: of 16 concurrent
 * creations exactly one succeeds, and the store refuses a write on an outdated ETag. A store that accepts
 * such writes would lose steps.
 *
 * @throws {DeployError} `unconditional-store` if the store does not honour them; {StoreError}
 */
export async function requireConditionalWrites(
  store: ReleaseStore,
  probed: ProbedStore,
  signal: AbortSignal,
): Promise<void> {
  const known = await readKnown(store, signal);
  if (known !== undefined && isOf(known.bytes, probed)) return;
  const key = `meta/probe-${randomBytes(16).toString('hex')}`;
  const contents = Array.from({ length: WRITERS }, (_, at) => Buffer.from(`${at}`));
  const ends = await Promise.all(contents.map((bytes) => store.create(key, bytes, signal)));
  const winners = ends.flatMap((end) => (end.kind === 'written' ? [end.etag] : []));
  // If none succeeded, the answer to one that did was lost, and the client sent that request again.
  const created = winners.length === 0 ? await store.read(key, MOST_BYTES, signal) : undefined;
  const etag = winners[0] ?? created?.etag;
  if (winners.length > 1 || etag === undefined) {
    throw unconditional(
      probed,
      `${winners.length} of ${WRITERS} writers created the same object (If-None-Match)`,
    );
  }
  const stale = '00000000000000000000000000000000';
  if ((await store.replace(key, Buffer.from('x'), stale, signal)).kind === 'written') {
    throw unconditional(probed, 'it replaced an object by an ETag that it never had (If-Match)');
  }
  if ((await store.replace(key, Buffer.from('y'), etag, signal)).kind === 'refused') {
    throw unconditional(probed, 'it did not replace an object by the ETag that it gave for it (If-Match)');
  }
  await remember(store, probed, known?.etag, signal);
}

/**
 * Reads the result of an earlier probe. Ignores an object that is larger than dagmount's own; the probe is
 * then repeated.
 */
async function readKnown(store: ReleaseStore, signal: AbortSignal): Promise<StoredObject | undefined> {
  try {
    return await store.read(KEY, MOST_BYTES, signal);
  } catch (error) {
    if (error instanceof ReleaseError) return undefined;
    throw error;
  }
}

async function remember(
  store: ReleaseStore,
  { endpoint, bucket }: ProbedStore,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const bytes = Buffer.from(canonicalJson({ bucket, endpoint, schema: 1 }));
  // The result of this write is ignored: if another probe was faster, it has written the same.
  await writeOver(store, KEY, bytes, etag, signal);
}

function isOf(bytes: Uint8Array, { endpoint, bucket }: ProbedStore): boolean {
  try {
    const fields = new Fields(parseCanonicalJson(bytes, KEY), KEY);
    return fields.text('endpoint') === endpoint && fields.text('bucket') === bucket;
  } catch (error) {
    if (error instanceof ReleaseError) return false;
    throw error;
  }
}

function unconditional({ endpoint, bucket }: ProbedStore, found: string): DeployError {
  return new DeployError(
    'unconditional-store',
    `the store at ${endpoint} (bucket ${bucket}) does not heed the conditions of writes: ${found}`,
    'Deploy through a store that does (AWS S3, Ceph, SeaweedFS, MinIO since 2024): without them, steps of others are lost.',
  );
}
