import type { MountConfig } from '../config/mount-config.ts';
import { shownSource } from '../config/shown-source.ts';
import { connectStore, type StoreConnection } from '../source/prefix/store-connection.ts';
import { type EtagSample, type ListedObject, Md5Counter, sampleEtags } from '../store/etag-probe.ts';
import { header } from '../store/http/headers.ts';
import { SignedHttp } from '../store/http/signed-http.ts';
import { ListingBudget } from '../store/listing/budget.ts';
import { ListingColumns } from '../store/listing/columns.ts';
import { createFetchPage } from '../store/listing/fetch-page.ts';
import { PageReader } from '../store/listing/page-reader.ts';
import { S3Store } from '../store/s3-store.ts';
import { probeRef } from './ref-probe.ts';
import type { StoreFinding } from './server-port.ts';

/**
 * The probe warns from this difference on, well before S3 refuses requests (RequestTimeTooSkewed, 15
 * minutes).
 */
const DOUBTFUL_SKEW_SECONDS = 60;
const ROWS = 100;
/** How many objects' ETags are compared: as many as a mount needs to judge the store. */
const SAMPLES = 8;
/** The largest object whose ETag is compared, in bytes. */
const LARGEST_SAMPLE = 256 * 1024;

/** Tries one by one what a mount needs from the store. Ends at the first failure. */
export async function* probeStore(
  config: MountConfig,
  { signal }: { readonly signal: AbortSignal },
): AsyncIterable<StoreFinding> {
  let step = 'credentials';
  let connection: StoreConnection | undefined;
  try {
    connection = await connectStore(config);
    const { ignored } = connection;
    if (ignored !== undefined) {
      yield { name: 'proxy', outcome: 'doubtful', detail: ignored.message, hint: ignored.hint };
    }
    if (config.signRequest) await connection.credentials();
    yield good('credentials', config.signRequest ? 'found' : 'not used: --no-sign-request');

    step = 'list';
    const { columns, page } = await readOnePage(connection, signal);
    const { count } = columns;
    const more = page.truncated ? ' and more' : '';
    yield good('list', `${count} object${count === 1 ? '' : 's'}${more} below ${config.source}`);

    step = 'get';
    const key = smallestOf(columns, 1, Number.POSITIVE_INFINITY)[0]?.key;
    if (key === undefined) yield good('get', 'not tried: nothing there to read');
    else yield good('get', `${key} (${await readOne(connection, config, key, signal)} bytes)`);

    const shown = shownSource(config);
    if (shown.kind === 'release') {
      step = 'ref';
      yield await probeRef(shown, connection, signal);
    }

    step = 'etags';
    // ETags of releases do not matter, because their contents are identified by SHA-256.
    const sample = shown.kind === 'prefix' ? smallestOf(columns, SAMPLES, LARGEST_SAMPLE) : [];
    if (sample.length > 0) yield etags(await sampleOf(connection, config, sample, signal));

    step = 'clock';
    yield clock(await secondsAhead(connection, signal));
  } catch (error) {
    yield { name: step, outcome: 'bad', detail: 'failed', error };
  } finally {
    await connection?.transport.close();
  }
}

function good(name: string, detail: string): StoreFinding {
  return { name, outcome: 'good', detail };
}

async function readOnePage(connection: StoreConnection, signal: AbortSignal) {
  const http = new SignedHttp(connection);
  const reader = new PageReader({ fetchPage: createFetchPage({ http }), prefix: connection.target.prefix });
  const rows = new ListingColumns();
  const page = await reader.read({ maxKeys: ROWS }, rows, {
    signal,
    requests: 0,
    budget: new ListingBudget(ROWS),
  });
  return { columns: rows.finish(), page };
}

async function readOne(
  connection: StoreConnection,
  { concurrency }: MountConfig,
  key: string,
  signal: AbortSignal,
): Promise<number> {
  // The step `etags` judges the ETag.
  const store = new S3Store({ ...connection, concurrency, md5: new Md5Counter() });
  let bytes = 0;
  for await (const chunk of (await store.get(key, { signal, withoutEtag: true })).body) bytes += chunk.length;
  return bytes;
}

/**
 * Returns the `most` smallest objects that can be read and are not empty, each of at most `largest` bytes.
 */
function smallestOf(
  objects: ReturnType<ListingColumns['finish']>,
  most: number,
  largest: number,
): readonly ListedObject[] {
  const { count, keys, keyEnds, etags, etagEnds, sizes, archived } = objects;
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => archived[i] === 0 && (sizes[i] ?? 0) > 0 && (sizes[i] ?? 0) <= largest)
    .sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0))
    .slice(0, most)
    .map((i) => ({
      key: Buffer.from(keys.subarray(keyEnds[i - 1] ?? 0, keyEnds[i])).toString(),
      etag: Buffer.from(etags.subarray(etagEnds[i - 1] ?? 0, etagEnds[i])).toString('latin1'),
    }));
}

async function sampleOf(
  connection: StoreConnection,
  { concurrency }: MountConfig,
  objects: readonly ListedObject[],
  signal: AbortSignal,
): Promise<EtagSample> {
  const md5 = new Md5Counter();
  return sampleEtags(new S3Store({ ...connection, concurrency, md5 }), md5, objects, signal);
}

/** How a mount will use the store's ETags. No finding prevents a mount. */
export function etags({ objects, unlisted, without, differing, md5 }: EtagSample): StoreFinding {
  const of = (count: number): string => `of ${count} of ${objects} objects`;
  const weaker = [
    unlisted > 0 && `the listing has none ${of(unlisted)}: their versions are told apart by size and date`,
    without > 0 && `GET gives none ${of(without)}: size and date are checked`,
    differing > 0 && `GET gives another than the listing ${of(differing)}: size and date are checked`,
    md5.wrong > 1 &&
      md5.right === 0 &&
      `they look like an MD5 and are none ${of(md5.wrong)}: lengths are checked`,
    (md5.wrong === 1 || (md5.wrong > 0 && md5.right > 0)) &&
      `they are not the MD5 of the content ${of(md5.wrong)}: reading those fails`,
  ].filter((text) => text !== false);
  if (weaker.length === 0) {
    return good('etags', `GET and the listing have the same, ${of(objects)}`);
  }
  const hint = 'Nothing, where this is the way of the store: docs/semantics.md says what is weaker then.';
  return { name: 'etags', outcome: 'doubtful', detail: weaker.join('; '), hint };
}

/**
 * Returns by how many seconds this host's clock is ahead of the store's; undefined if the store has no date.
 */
async function secondsAhead(connection: StoreConnection, signal: AbortSignal): Promise<number | undefined> {
  const query = { 'list-type': '2', 'max-keys': '1', prefix: connection.target.prefix };
  const { headers, body } = await new SignedHttp(connection).send(
    { operation: 'list', key: '', query },
    signal,
  );
  body.cancel(new Error('only its date was wanted'));
  const date = Date.parse(header(headers, 'date') ?? '');
  return Number.isNaN(date) ? undefined : Math.round((Date.now() - date) / 1000);
}

function clock(seconds: number | undefined): StoreFinding {
  if (seconds === undefined) return { name: 'clock', outcome: 'doubtful', detail: 'the store sends no date' };
  const detail = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the store's`;
  if (Math.abs(seconds) < DOUBTFUL_SKEW_SECONDS) return good('clock', detail);
  return {
    name: 'clock',
    outcome: 'doubtful',
    detail,
    hint: 'Set the clock, with NTP for instance: S3 refuses 15 minutes.',
  };
}
