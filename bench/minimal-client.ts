import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { RequestSigner } from '../src/store/http/sign.ts';
import type { ResolvedTarget } from '../src/store/resolved-target.ts';

/**
 * What bench/cold.js compares with, a process of its own: the least that a program in Node.js does to copy the objects
 * below a prefix. It lists them, requests 64 at a time over sockets of its own, compares MD5 with ETag, writes each
 * file and renames it. It serves no reader, retries nothing, bounds nothing, and ends at the first answer that it does
 * not expect. `minimal-client.js ENDPOINT BUCKET PREFIX DIRECTORY`; the keys are taken from AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY. Keys must need no encoding. Prints the number of objects, and the seconds of processor time.
 */
const CONNECTIONS = 64;
const LISTED = /<Key>([^<]*)<\/Key>.*?<ETag>(?:&quot;|&#34;|")([0-9a-f]{32})/gs;
const MORE = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/;

interface Listed {
  readonly key: string;
  readonly etag: string;
}

const [endpoint = '', bucket = '', prefix = '', directory = ''] = process.argv.slice(2);
const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
const { hostname, port, host } = new URL(endpoint);
const signer = new RequestSigner();
const target: ResolvedTarget = {
  bucket,
  prefix,
  origin: endpoint,
  host,
  basePath: `/${bucket}/`,
  region: 'us-east-1',
  service: 's3',
  endpoint,
  requestPayer: false,
  anonymous: false,
};

function signed(path: string, query: Readonly<Record<string, string>>): Record<string, string> {
  const request = { method: 'GET', path, query, headers: {} } as const;
  return signer.sign(request, target, { accessKeyId, secretAccessKey }, Date.now());
}

async function list(): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const query: Record<string, string> = { 'list-type': '2', 'max-keys': '1000', prefix };
    if (token !== '') query['continuation-token'] = token;
    const path = `/${bucket}`;
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const options = { hostname, port, path: `${path}?${search.join('&')}`, headers: signed(path, query) };
    const page: string = await new Promise((resolve, reject) => {
      get(options, (answer) => text(answer).then(resolve, reject)).on('error', reject);
    });
    for (const [, key = '', etag = ''] of page.matchAll(LISTED)) listed.push({ key, etag });
    token = MORE.exec(page)?.[1];
  }
  return listed;
}

function write(key: string, body: Buffer): void {
  const name = join(directory, key.replaceAll('/', '_'));
  const descriptor = openSync(`${name}.new`, 'wx');
  writeSync(descriptor, body);
  closeSync(descriptor);
  renameSync(`${name}.new`, name);
}

/** Requests the next object of `objects` over one connection, until none is left. */
async function copyFrom(objects: Iterator<Listed>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let requested: Listed;
    let received: Buffer = Buffer.alloc(0);
    const request = (): void => {
      const next = objects.next();
      if (next.done === true) {
        socket.end();
        resolve();
        return;
      }
      requested = next.value;
      const path = `/${bucket}/${requested.key}`;
      let head = `GET ${path} HTTP/1.1\r\n`;
      for (const [name, value] of Object.entries(signed(path, {}))) head += `${name}: ${value}\r\n`;
      socket.write(`${head}\r\n`, 'latin1');
    };
    socket.on('connect', request);
    socket.on('error', reject);
    socket.on('data', (data) => {
      received = received.length === 0 ? data : Buffer.concat([received, data]);
      const begin = received.indexOf('\r\n\r\n') + 4;
      if (begin === 3) return;
      const head = received.toString('latin1', 0, begin);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
      if (!head.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) socket.destroy(new Error(head));
      if (received.length < begin + length) return;
      const body = received.subarray(begin);
      const md5 = createHash('md5').update(body).digest('hex');
      if (md5 !== requested.etag)
        socket.destroy(new Error(`${requested.key}: ${md5}, not ${requested.etag}`));
      write(requested.key, body);
      received = Buffer.alloc(0);
      request();
    });
  });
}

mkdirSync(directory, { recursive: true });
const listed = await list();
const objects = listed.values();
await Promise.all(Array.from({ length: CONNECTIONS }, () => copyFrom(objects)));
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ objects: listed.length, cpu: (user + system) / 1e6 }));
