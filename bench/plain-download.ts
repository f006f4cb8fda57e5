import { TestS3 } from '../test/support/s3.ts';

/**
 * What bench/large.js compares with, a process of its own: downloads an object by ranges, one after another over one
 * connection, and drops the bytes. `plain-download.js ENDPOINT BUCKET KEY BYTES RANGE`; the keys are taken from
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Prints its seconds and bytes.
 */
const [endpoint = '', bucket = '', key = '', size = '', range = ''] = process.argv.slice(2);
const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
const s3 = new TestS3({ endpoint, accessKeyId, secretAccessKey }, 1);
const start = performance.now();
let bytes = 0;
while (bytes < Number(size)) {
  const end = Math.min(Number(size), bytes + Number(range));
  bytes += await s3.drain(bucket, key, { start: bytes, end });
}
const seconds = (performance.now() - start) / 1000;
await s3.close();
console.log(JSON.stringify({ seconds, bytes }));
