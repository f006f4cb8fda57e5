import { createHash } from 'node:crypto';
import type { Asked } from './scripted-store.ts';
import { type Answer, answer, refusal } from './wire.ts';

export interface StoredObject {
  readonly body: Buffer;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Headers of its own, such as its encoding. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How to put an object, where it differs from the usual way. */
export type PutOptions = Partial<Omit<StoredObject, 'body'>>;

/** One row of a listing, as text of XML elements. An undefined element is left out. */
export interface ListedRow {
  readonly Key: string;
  readonly LastModified: string | undefined;
  readonly ETag: string | undefined;
  readonly Size: string | undefined;
  readonly StorageClass: string | undefined;
}

export interface ListedPage {
  readonly rows: readonly ListedRow[];
  readonly prefix: string;
  readonly keyCount: string | undefined;
  readonly truncated: string | undefined;
  readonly token: string | undefined;
  readonly encoding: string | undefined;
  /** Further elements, verbatim. */
  readonly more: string;
}

const firstPut = Date.UTC(2026, 4, 4, 8, 0, 0);

/** Objects, and the answers of a correct store about them. */
export class Bucket {
  readonly #objects = new Map<string, StoredObject>();
  /** Every body that a key ever had. */
  readonly #history = new Map<string, Buffer[]>();
  /** The most keys of one page of the listing. */
  readonly pageKeys = 1000;
  #puts = 0;

  put(key: string, body: Buffer, options: PutOptions = {}): void {
    this.#puts += 1;
    const { etag = createHash('md5').update(body).digest('hex'), headers = {} } = options;
    const modified = options.modified ?? firstPut + this.#puts * 1000;
    this.#objects.set(key, { body, etag, modified, headers });
    const bodies = this.#history.get(key) ?? [];
    this.#history.set(key, bodies);
    bodies.push(body);
  }

  delete(key: string): void {
    this.#objects.delete(key);
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  get keys(): readonly string[] {
    return [...this.#objects.keys()].sort();
  }

  everHad(key: string, body: Buffer): boolean {
    return this.#history.get(key)?.some((known) => known.equals(body)) ?? false;
  }

  answer(asked: Pick<Asked, 'key' | 'query' | 'header'>): Answer {
    return asked.key === '' ? render(this.page(asked)) : this.object(asked);
  }

  page({ query }: Pick<Asked, 'query'>): ListedPage {
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'hex').toString();
    const keys = this.keys.filter((key) => key.startsWith(prefix) && key > after);
    const shown = keys.slice(0, this.pageKeys);
    const goesOn = shown.length < keys.length;
    return {
      rows: shown.map((key) => rowOf(key, this.#objects.get(key)!)),
      prefix,
      keyCount: String(shown.length),
      truncated: String(goesOn),
      token: goesOn ? Buffer.from(shown.at(-1)!).toString('hex') : undefined,
      encoding: 'url',
      more: '',
    };
  }

  /** The object, as a store that honours conditions and ranges gives it. */
  object(asked: Pick<Asked, 'key' | 'header'>): Answer {
    const object = this.#objects.get(asked.key);
    if (object === undefined) return refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    const match = asked.header('if-match');
    if (match !== undefined && match !== `"${object.etag}"`) {
      return refusal(412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold');
    }
    return this.unconditional(asked)!;
  }

  /** The same, whatever the request's condition is; undefined: there is no such object. */
  unconditional(asked: Pick<Asked, 'key' | 'header'>): Answer | undefined {
    const object = this.#objects.get(asked.key);
    return object && objectAnswer(object, asked.header('range'));
  }
}

function objectAnswer({ body, etag, modified, headers }: StoredObject, asked?: string): Answer {
  const own = [
    ['ETag', `"${etag}"`],
    ['Last-Modified', new Date(modified).toUTCString()],
    ['x-amz-request-id', '4442587FB7D0A2F9'],
    ...Object.entries(headers),
  ] as const;
  const range = /^bytes=(\d+)-(\d+)$/.exec(asked ?? '');
  if (range === null) return answer(200, body, ...own);
  const start = Number(range[1]);
  const end = Math.min(body.length, Number(range[2]) + 1);
  if (start >= body.length) return refusal(416, 'InvalidRange');
  const place = ['Content-Range', `bytes ${start}-${end - 1}/${body.length}`] as const;
  return answer(206, body.subarray(start, end), ...own, place);
}

function rowOf(key: string, { body, etag, modified }: StoredObject): ListedRow {
  return {
    Key: encoded(key),
    LastModified: new Date(modified).toISOString(),
    ETag: `&quot;${etag}&quot;`,
    Size: String(body.length),
    StorageClass: 'STANDARD',
  };
}

export function encoded(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/');
}

const elements = ['Key', 'LastModified', 'ETag', 'Size', 'StorageClass'] as const;

export function render(page: ListedPage): Answer {
  const { rows, prefix, keyCount, truncated, token, encoding, more } = page;
  const contents = rows.map(
    (row) => `<Contents>${elements.map((name) => element(name, row[name])).join('')}</Contents>`,
  );
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Name>bucket</Name><Prefix>${encoded(prefix)}</Prefix><MaxKeys>1000</MaxKeys>`,
    element('KeyCount', keyCount),
    element('EncodingType', encoding),
    element('IsTruncated', truncated),
    element('NextContinuationToken', token),
    ...contents,
    more,
    '</ListBucketResult>',
  ].join('');
  return answer(200, xml, ['Content-Type', 'application/xml'], ['x-amz-request-id', '4442587FB7D0A2F9']);
}

function element(name: string, content: string | undefined): string {
  return content === undefined ? '' : `<${name}>${content}</${name}>`;
}
