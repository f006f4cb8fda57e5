import { SignatureV4 } from '@smithy/signature-v4';
import { Agent, type Dispatcher, request } from 'undici';
import { Sha256 } from './sha256.ts';

export interface S3Access {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10));
  });
}

/**
 * A few S3 requests for the tests, in path style, signed by @smithy/signature-v4. This shares no code with the store
 * under test, and a PUT takes a fifth of the SDK's time.
 */
export class TestS3 {
  readonly access: S3Access;
  readonly #agent: Agent;
  readonly #host: string;
  readonly #endpoint: URL;
  readonly #signer: SignatureV4;

  constructor(access: S3Access, connections = 32) {
    this.access = access;
    this.#endpoint = new URL(access.endpoint);
    this.#host = this.#endpoint.host;
    const { accessKeyId, secretAccessKey } = access;
    this.#signer = new SignatureV4({
      service: 's3',
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      sha256: Sha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
    this.#agent = new Agent({ connections, keepAliveTimeout: 4_000 });
  }

  /** @param path the bucket, or bucket/key, unencoded */
  async send(
    method: Method,
    path: string,
    query: Readonly<Record<string, string>> = {},
    body?: Uint8Array | string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<S3Answer> {
    const answer = await this.#request(method, path, query, body, extra);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: Buffer.from(await answer.body.arrayBuffer()),
    };
  }

  /** Downloads bytes of an object and drops them as they come; returns their number. `end` is exclusive. */
  async drain(bucket: string, key: string, range: { start: number; end: number }): Promise<number> {
    const extra = { range: `bytes=${range.start}-${range.end - 1}` };
    const answer = await this.#request('GET', `${bucket}/${key}`, {}, undefined, extra);
    if (answer.statusCode !== 206) throw new Error(`GET ${key} answered ${answer.statusCode}`);
    let bytes = 0;
    for await (const part of answer.body) bytes += part.length;
    return bytes;
  }

  /** Uploads in parts, and makes each part when it sends it: an object may be too large for memory. */
  async putInParts(bucket: string, key: string, parts: Iterable<Uint8Array>): Promise<void> {
    const path = `${bucket}/${key}`;
    const begun = await this.#expect('POST', path, { uploads: '' }, undefined);
    const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.body.toString())?.[1] ?? '';
    const listed: string[] = [];
    for (const part of parts) {
      const partNumber = String(listed.length + 1);
      const { headers } = await this.#expect('PUT', path, { partNumber, uploadId }, part);
      listed.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${headers.etag}</ETag></Part>`);
    }
    const document = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
    await this.#expect('POST', path, { uploadId }, document);
  }

  /** From now on the store keeps overwritten and deleted objects by their version ids. */
  async enableVersioning(bucket: string): Promise<void> {
    const document = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await this.#expect('PUT', bucket, { versioning: '' }, document);
  }

  async #request(
    method: Method,
    path: string,
    query: Readonly<Record<string, string>>,
    body: Uint8Array | string | undefined,
    extra: Readonly<Record<string, string>>,
  ): Promise<Dispatcher.ResponseData<unknown>> {
    const encodedPath = `/${path.split('/').map(encode).join('/')}`;
    const search = Object.keys(query)
      .sort()
      .map((name) => `${encode(name)}=${encode(query[name] ?? '')}`)
      .join('&');
    const { hostname, port, protocol } = this.#endpoint;
    const { headers } = await this.#signer.sign({
      method,
      protocol,
      hostname,
      port: Number(port),
      path: encodedPath,
      query,
      headers: { host: this.#host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...extra },
    });
    const options = {
      dispatcher: this.#agent,
      method: method as Dispatcher.HttpMethod,
      headers,
    };
    return await request(
      `${this.access.endpoint}${encodedPath}${search === '' ? '' : `?${search}`}`,
      body === undefined ? options : { ...options, body },
    );
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#expect('PUT', bucket, {}, undefined);
  }

  /** Returns the ETag without its quotes. */
  async put(bucket: string, key: string, body: Uint8Array | string): Promise<string> {
    const answer = await this.#expect('PUT', `${bucket}/${key}`, {}, body);
    return String(answer.headers.etag ?? '').replaceAll('"', '');
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.#expect('DELETE', `${bucket}/${key}`, {}, undefined);
  }

  async get(bucket: string, key: string): Promise<Buffer> {
    return (await this.#expect('GET', `${bucket}/${key}`, {}, undefined)).body;
  }

  /**
   * The keys below a prefix with their ETags, read with no code of the store under test. Only for stores that give all
   * keys in one page if asked to (SeaweedFS).
   */
  async list(bucket: string, prefix: string): Promise<ReadonlyMap<string, string>> {
    const query = { 'list-type': '2', 'encoding-type': 'url', 'max-keys': '20000', prefix };
    const xml = (await this.#expect('GET', bucket, query, undefined)).body.toString();
    if (!xml.includes('<IsTruncated>false</IsTruncated>'))
      throw new Error(`${prefix} has more than one page`);
    const contents = xml.matchAll(/<Contents>.*?<Key>(.*?)<\/Key>.*?<ETag>(.*?)<\/ETag>.*?<\/Contents>/gs);
    return new Map(
      [...contents].map(([, key = '', etag = '']) => [
        decodeURIComponent(unescaped(key).replaceAll('+', ' ')),
        unescaped(etag).replaceAll('"', ''),
      ]),
    );
  }

  /** Uploads with 32 requests under way; SeaweedFS takes some 2,000 objects of 4 KiB a second on two cores. */
  async putAll(
    bucket: string,
    objects: Iterable<readonly [key: string, body: Uint8Array | string]>,
  ): Promise<void> {
    const rest = objects[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        await this.put(bucket, next.value[0], next.value[1]);
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #expect(
    method: Method,
    path: string,
    query: Readonly<Record<string, string>>,
    body: Uint8Array | string | undefined,
  ): Promise<S3Answer> {
    const answer = await this.send(method, path, query, body);
    if (answer.status >= 300) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`);
    }
    return answer;
  }
}
