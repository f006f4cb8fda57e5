import type { StoreFinding } from './cli/server-port.ts';
import type { MountConfig } from './config/mount-config.ts';
import { createFetchPage } from './store/fetch-page.ts';
import { ListingBudget } from './store/list-budget.ts';
import { ListingColumns } from './store/list-columns.ts';
import { PageReader } from './store/list-page-reader.ts';
import { S3Store } from './store/s3-store.ts';
import { SignedHttp } from './store/signed-http.ts';
import { connectStore, type StoreConnection } from './store-connection.ts';

/** Further apart than this S3 refuses requests (RequestTimeTooSkewed at 15 minutes); said well before. */
const DOUBTFUL_SKEW_SECONDS = 60;
const ROWS = 100;

/** Tries what a mount needs of the store, one thing after another; ends at the first that fails. */
export async function* probeStore(
  config: MountConfig,
  { signal }: { readonly signal: AbortSignal },
): AsyncIterable<StoreFinding> {
  let step = 'credentials';
  let connection: StoreConnection | undefined;
  try {
    connection = await connectStore(config);
    if (config.signRequest) await connection.credentials();
    yield good('credentials', config.signRequest ? 'found' : 'not used: --no-sign-request');

    step = 'list';
    const { columns, page } = await readOnePage(connection, signal);
    const { count } = columns;
    const more = page.truncated ? ' and more' : '';
    yield good('list', `${count} object${count === 1 ? '' : 's'}${more} below ${config.source}`);

    step = 'get';
    const key = smallestReadable(columns);
    if (key === undefined) yield good('get', 'not tried: nothing there to read');
    else yield good('get', `${key} (${await readOne(connection, config, key, signal)} bytes)`);

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

function smallestReadable(objects: ReturnType<ListingColumns['finish']>): string | undefined {
  let best: number | undefined;
  for (let i = 0; i < objects.count; i++) {
    const readable = objects.archived[i] === 0 && (objects.sizes[i] ?? 0) > 0;
    if (readable && (best === undefined || (objects.sizes[i] ?? 0) < (objects.sizes[best] ?? 0))) best = i;
  }
  if (best === undefined) return undefined;
  const start = best === 0 ? 0 : objects.keyEnds[best - 1];
  return Buffer.from(objects.keys.subarray(start, objects.keyEnds[best])).toString();
}

async function readOne(
  connection: StoreConnection,
  { concurrency }: MountConfig,
  key: string,
  signal: AbortSignal,
): Promise<number> {
  const store = new S3Store({ ...connection, concurrency });
  let bytes = 0;
  for await (const chunk of (await store.get(key, { signal })).body) bytes += chunk.length;
  return bytes;
}

/** How far this host's clock is ahead of the store's. */
async function secondsAhead(connection: StoreConnection, signal: AbortSignal): Promise<number | undefined> {
  const query = { 'list-type': '2', 'max-keys': '1', prefix: connection.target.prefix };
  const { headers, body } = await new SignedHttp(connection).send(
    { operation: 'list', key: '', query },
    signal,
  );
  body.cancel(new Error('only its date was wanted'));
  const date = Date.parse(headers.date ?? '');
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
    mend: 'Set the clock, with NTP for instance: S3 refuses 15 minutes.',
  };
}
