import { createHmac, hash } from 'node:crypto';
import type { Credentials } from '../credentials.ts';
import type { ResolvedTarget } from '../resolved-target.ts';
import { encodeComponent } from './key-path.ts';

/** SHA-256 of an empty body, because no request here has a body. */
const EMPTY_BODY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const ALGORITHM = 'AWS4-HMAC-SHA256';

export interface UnsignedRequest {
  readonly method: 'GET' | 'HEAD';
  /** Percent-encoded, because S3 signs the path as it is sent. */
  readonly path: string;
  /** Not percent-encoded. */
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

interface DayKey {
  readonly secretAccessKey: string;
  /** day/region/service/aws4_request */
  readonly scope: string;
  readonly key: Buffer;
}

/**
 * Signs requests without a body by Signature Version 4, after AWS's "Create a signed AWS API request". Tests
 * compare every signature with that of @smithy/signature-v4.
 *
 * That library is not used, because it derives its cache key by HMAC for each request. CPU of a GET of 4 KiB
 * over undici, 24 at a time, Node 20 on 2 busy cores: 386 us with the library, 221 us with this class.
 */
export class RequestSigner {
  #dayKey: DayKey | undefined;
  #second = Number.NaN;
  #time = '';

  /** Returns the request's headers, and those that sign the request. `now`: milliseconds since the epoch. */
  sign(
    { method, path, query, headers }: UnsignedRequest,
    target: ResolvedTarget,
    credentials: Credentials,
    now: number,
  ): Record<string, string> {
    const time = this.#timeOf(now);
    const scope = `${time.slice(0, 8)}/${target.region}/${target.service}/aws4_request`;
    const signed: Record<string, string> = {
      host: target.host,
      'x-amz-content-sha256': EMPTY_BODY,
      'x-amz-date': time,
    };
    for (const name of Object.keys(headers)) signed[name] ??= headers[name] ?? '';
    if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken;
    const names = Object.keys(signed).sort();
    const nameList = names.join(';');
    let request = `${method}\n${path}\n${canonicalQuery(query)}\n`;
    for (const name of names) request += `${name}:${canonicalValue(signed[name] ?? '')}\n`;
    request += `\n${nameList}\n${EMPTY_BODY}`;
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', request)}`;
    const signature = createHmac('sha256', this.#keyOf(credentials, scope)).update(text).digest('hex');
    signed.authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${nameList}, Signature=${signature}`;
    return signed;
  }

  /** Returns the time as in 20260102T030405Z. Formats it at most once a second. */
  #timeOf(now: number): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
    }
    return this.#time;
  }

  /** Returns the signing key, which is derived again when the day, region, service or secret changes. */
  #keyOf({ secretAccessKey }: Credentials, scope: string): Buffer {
    const known = this.#dayKey;
    if (known?.scope === scope && known.secretAccessKey === secretAccessKey) return known.key;
    let key = Buffer.from(`AWS4${secretAccessKey}`);
    for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
    this.#dayKey = { secretAccessKey, scope, key };
    return key;
  }
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encodeComponent(name)}=${encodeComponent(query[name] ?? '')}`)
    .join('&');
}

function canonicalValue(value: string): string {
  return /\s/.test(value) ? value.trim().replace(/\s+/g, ' ') : value;
}
