/**
 * What a listing costs: the direct scan of a page beside the SDK's parse of the same bytes, and a million objects
 * in time and memory, one page after the other and in parallel, with 30 ms to the store.
 *
 *   node --expose-gc dist/bench/listing.js
 */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ListingColumns } from '../src/store/listing/columns.ts';
import { PrefixLister } from '../src/store/listing/listing.ts';
import type { PageQuery } from '../src/store/listing/page-reader.ts';
import { scanListingPage } from '../src/store/listing/scanner.ts';

const PREFIX = 'airflow/dags/';
const PAGE_KEYS = 1000;
const OBJECTS = 1_000_000;
const LATENCY_MS = 30;

/** Ascends with `index`, some 50 bytes below the prefix. */
function keyOf(index: number): string {
  const team = String(Math.floor(index / 1000)).padStart(5, '0');
  return `${PREFIX}team-${team}/pipelines/ingest/dag_${String(index).padStart(8, '0')}_daily.py`;
}

function pageFrom(first: number, last: number): Buffer {
  const rows: string[] = [];
  const end = Math.min(last, first + PAGE_KEYS);
  for (let i = first; i < end; i++) {
    const etag = (i * 2654435761).toString(16).padStart(32, '0').slice(-32);
    rows.push(
      `<Contents><Key>${keyOf(i)}</Key><LastModified>2026-11-21T12:37:41.000Z</LastModified>` +
        `<ETag>&quot;${etag}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>` +
        `<ChecksumType>FULL_OBJECT</ChecksumType><Size>${2000 + (i % 9000)}</Size>` +
        '<StorageClass>STANDARD</StorageClass></Contents>',
    );
  }
  const more = end < last;
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<Name>dags</Name><Prefix>${PREFIX}</Prefix>` +
      (more ? `<NextContinuationToken>${end}</NextContinuationToken>` : '') +
      `<KeyCount>${rows.length}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>` +
      `<IsTruncated>${more}</IsTruncated>${rows.join('')}</ListBucketResult>`,
  );
}

function answer(query: PageQuery, objects: number): Buffer {
  if (query.continuationToken !== undefined) return pageFrom(Number(query.continuationToken), objects);
  const after = query.startAfter === undefined ? -1 : Number(/dag_(\d+)/.exec(query.startAfter)?.[1]);
  return pageFrom(after + 1, objects);
}

/** The best and the median: other work on the machine raises the median, but never lowers the best. */
function summary(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const [best = Number.NaN, middle = Number.NaN] = [sorted[0], sorted[sorted.length >> 1]];
  return `best ${best.toFixed(2)} ms, median ${middle.toFixed(2)} ms`;
}

function scanPage(page: Uint8Array): string {
  const prefix = Buffer.from(PREFIX);
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const columns = new ListingColumns();
    const begun = performance.now();
    scanListingPage(page, { prefix, columns });
    times.push(performance.now() - begun);
  }
  return summary(times.slice(200));
}

async function parseWithSdk(page: Uint8Array): Promise<string> {
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: 'http://store.invalid',
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: {
      handle: async () => {
        const headers = { 'content-type': 'application/xml' };
        return { response: { statusCode: 200, headers, body: Readable.from([page]) } };
      },
    },
  });
  const times: number[] = [];
  for (let i = 0; i < 130; i++) {
    const begun = performance.now();
    await client.send(new ListObjectsV2Command({ Bucket: 'dags', Prefix: PREFIX, EncodingType: 'url' }));
    times.push(performance.now() - begun);
  }
  return summary(times.slice(30));
}

/** Live bytes of typed arrays, where the process runs with --expose-gc. */
function liveArrayBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().arrayBuffers;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function scanMillion(): void {
  const prefix = Buffer.from(PREFIX);
  const before = liveArrayBytes();
  const columns = new ListingColumns();
  let scanning = 0;
  let peak = 0;
  for (let first = 0; first < OBJECTS; first += PAGE_KEYS) {
    const page = pageFrom(first, OBJECTS);
    const begun = performance.now();
    scanListingPage(page, { prefix, columns });
    scanning += performance.now() - begun;
    if (first % 50_000 === 0) peak = Math.max(peak, liveArrayBytes() - before - page.length);
  }
  const objects = columns.finish();
  const used = Object.values(objects).reduce((sum: number, column) => {
    return sum + (typeof column === 'number' ? 0 : column.byteLength);
  }, 0);
  console.log(`1,000,000 objects: ${scanning.toFixed(0)} ms of scanning`);
  console.log(`  columns in use ${megabytes(used)}, allocated ${megabytes(liveArrayBytes() - before)}`);
  console.log(`  peak while growing ${megabytes(peak)}`);
}

/** How long a listing takes with 30 ms to the store: the first listing is sequential, the second may be parallel. */
async function compareManners(objects: number): Promise<void> {
  const lister = new PrefixLister({
    prefix: PREFIX,
    fetchPage: async (query, signal) => {
      await delay(LATENCY_MS, undefined, { signal });
      return answer(query, objects);
    },
  });
  const took: string[] = [];
  for (let i = 0; i < 2; i++) {
    const before = liveArrayBytes();
    const begun = performance.now();
    const { count, requests } = await lister.list({ signal: new AbortController().signal });
    const elapsed = performance.now() - begun;
    if (count !== objects) throw new Error(`listed ${count} objects of ${objects}`);
    took.push(
      `${elapsed.toFixed(0)} ms in ${requests} requests (${megabytes(liveArrayBytes() - before)} more)`,
    );
  }
  console.log(`${objects} objects at ${LATENCY_MS} ms: ${took.join(', then ')}`);
}

const page = pageFrom(0, 2 * PAGE_KEYS);
console.log(`page of 1,000 objects, ${(page.length / 1024).toFixed(0)} KiB`);
console.log(`  scan ${scanPage(page)}`);
console.log(`  SDK  ${await parseWithSdk(page)}`);
scanMillion();
for (const objects of [2000, 4000, 5000, 10_000, 100_000]) await compareManners(objects);
