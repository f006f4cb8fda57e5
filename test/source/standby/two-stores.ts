import { createHash } from 'node:crypto';
import type { ContentStore } from '../../../src/cache/receive.ts';
import { PrefixSource } from '../../../src/source/prefix/prefix-source.ts';
import type { Look, SourceHold } from '../../../src/source/source.ts';
import type { Place } from '../../../src/source/standby/place-judge.ts';
import { type StandbyPlace, StandbySource } from '../../../src/source/standby/standby-source.ts';
import type { StandbyView } from '../../../src/source/standby/standby-view.ts';
import { SwitchedContent } from '../../../src/source/standby/switched-content.ts';
import { atHost } from '../../../src/store/resolved-target.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import type { Generation } from '../../../src/tree/index.ts';
import { CREDENTIALS, openStore, patience, read, TARGET } from '../../store/open-store.ts';
import type { Bucket, BucketObject } from '../../support/bucket.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryS3 } from '../../support/memory-s3.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type Cleanup, defer } from '../../support/temporary.ts';

/** When the first files were written, milliseconds since the epoch. */
export const LONG_AGO = Date.UTC(2025, 5, 1);
const MINUTE = 60_000;

type Etags = Partial<Record<'firstEtag' | 'secondEtag', (body: string) => string>>;

/** A bucket over HTTP whose dates and kind of ETags a test chooses. */
export class Store {
  readonly name: string;
  isDown = false;
  /** Keys that can be listed, and not read. */
  readonly denied = new Set<string>();
  /** While it is down: true closes each connection, as a cut cable would; false answers that the token has expired. */
  dropsConnections = false;
  /** Requests so far. */
  requests = 0;
  /** Pages of listings among them. */
  listings = 0;
  readonly #etagOf: (body: string) => string;
  readonly #objects = new Map<string, BucketObject>();
  #server: MemoryS3 | undefined;

  constructor(name: string, etagOf: (body: string) => string) {
    this.name = name;
    this.#etagOf = etagOf;
  }

  async start(t: Cleanup): Promise<void> {
    const bucket: Bucket = {
      get: (key) => this.#objects.get(key),
      page: (prefix, after, most) => {
        const keys = [...this.#objects.keys()]
          .sort()
          .filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
        return { keys: keys.slice(0, most), more: keys.length > most };
      },
    };
    const server = await MemoryS3.start({
      bucket,
      recorded: false,
      fault: ({ key }) => {
        this.requests += 1;
        if (key === '') this.listings += 1;
        // The answer ExpiredToken counts as unreachable, and the client does not retry it.
        if (this.denied.has(key)) return { status: 403, code: 'AccessDenied' };
        if (!this.isDown) return undefined;
        return this.dropsConnections ? 'lost-before' : { status: 403, code: 'ExpiredToken' };
      },
    });
    this.#server = server;
    defer(t, () => server.close());
  }

  get endpoint(): string {
    return this.#server!.endpoint;
  }

  put(path: string, body: string, modified: number): void {
    const bytes = Buffer.from(body);
    const etag = this.#etagOf(body);
    this.#objects.set(`dags/${path}`, { etag, size: bytes.length, modified, body: () => bytes });
  }

  delete(path: string): void {
    this.#objects.delete(`dags/${path}`);
  }

  /** Copies as replication does, with the dates; or as a copy does, with a date of its own. */
  copyFrom(other: Store, modified?: number): void {
    this.#objects.clear();
    for (const [key, object] of other.#objects) {
      this.put(key.slice('dags/'.length), object.body().toString(), modified ?? object.modified);
    }
  }
}

export const md5 = (body: string): string => createHash('md5').update(body).digest('hex');
/** The ETag of an upload in parts: no MD5 of the bytes, and different in each store. */
export const inParts = (salt: string) => (body: string) => `${md5(salt + body)}-2`;

/** A node with a first store and a standby, and what it shows. */
export class Node {
  readonly clock: FakeClock = new FakeClock();
  /** The standby that the shown tree comes from; undefined: it comes from the first store. */
  followed: string | undefined;
  readonly log = new RecordingLog();
  readonly first: Store;
  readonly second: Store;
  readonly views: StandbyView[] = [];
  /** How many trees were shown, including the first one. */
  publications = 0;
  opened = 0;
  /** Whether content is on the local disk. */
  hasContent = true;
  shown: { readonly generation: Generation; readonly publishedAt: number } | undefined;
  readonly content: SwitchedContent;
  readonly source: StandbySource;
  #digest: string | undefined;
  #nextNodeId = 2;
  readonly #bodies = new Map<string, string>();

  private constructor(t: Cleanup, first: Store, second: Store, before?: Node) {
    if (before !== undefined) {
      this.clock = before.clock;
      this.shown = before.shown;
      this.followed = before.followed;
      this.#nextNodeId = before.#nextNodeId;
    }
    this.first = first;
    this.second = second;
    const place = placeOf(t, first);
    this.content = new SwitchedContent(place.content);
    this.source = new StandbySource({
      first: place,
      standbys: [
        {
          name: second.name,
          open: async () => {
            this.opened += 1;
            return placeOf(t, second);
          },
        },
      ],
      followed: {
        recall: () => this.followed !== undefined,
        keep: (source) => {
          this.followed = source;
        },
      },
      content: this.content,
      afterMs: 30_000,
      isDown: (error) => error instanceof StoreError && error.code === 'expired',
      shown: () => this.shown,
      hasSameBytes: async (mine, theirs, content) => {
        const known = this.hasContent ? this.#bodies.get(`${mine.path} ${mine.etag}`) : undefined;
        if (known === undefined) return undefined;
        const { body } = await content.get(theirs.path, { ifMatch: theirs.etag, signal: patience() });
        return (await read(body)).toString() === known;
      },
      isRefusal: (error) => error instanceof StoreError && error.code === 'denied',
      onChange: (view) => this.views.push(view),
      clock: this.clock,
      log: this.log,
    });
  }

  static async start(t: Cleanup, { firstEtag = md5, secondEtag = md5 }: Etags = {}): Promise<Node> {
    const [first, second] = [
      new Store('s3://first/dags/', firstEtag),
      new Store('s3://second/dags/', secondEtag),
    ];
    await Promise.all([first.start(t), second.start(t)]);
    for (let file = 0; file < 20; file++) first.put(`f${file}.py`, `file ${file}`, LONG_AGO + file * MINUTE);
    return new Node(t, first, second);
  }

  /** A node that reads from the second store, which has all objects of the first: the first store is down. */
  static async startAway(t: Cleanup, etags: Etags = {}): Promise<Node> {
    const node = await Node.start(t, etags);
    node.second.copyFrom(node.first);
    await node.look();
    node.first.isDown = true;
    await node.pass(MINUTE);
    return node;
  }

  /** Another server of the same mount, which continues with the tree that this one shows. */
  restarted(t: Cleanup): Node {
    return new Node(t, this.first, this.second, this);
  }

  /** Looks once, and shows a new tree with its content. Resolves with `failed` where the look rejects. */
  async look(): Promise<Look['kind'] | 'failed'> {
    const { signal } = new AbortController();
    let look: Look;
    try {
      look = await this.source.look({ signal });
    } catch {
      return 'failed';
    }
    if (look.kind !== 'candidate' || look.candidate.digest === this.#digest) return look.kind;
    const built = await this.source.build({
      digest: look.candidate.digest,
      previous: this.shown?.generation,
      removedDirectories: new Map(),
      nextNodeId: this.#nextNodeId,
      signal,
    });
    this.#digest = look.candidate.digest;
    if (built.generation.id === this.shown?.generation.id) return look.kind;
    this.#nextNodeId = built.nextNodeId;
    this.shown = { generation: built.generation, publishedAt: this.clock.now() };
    this.publications += 1;
    for (const path of this.paths()) await this.read(path);
    return look.kind;
  }

  /** Accepts what is held, as an operator would. */
  async accept(hold: SourceHold): Promise<boolean> {
    const { signal } = new AbortController();
    return this.source.accept(hold.step?.digest ?? hold.listing?.digest ?? '', { signal });
  }

  /** What the next look holds; throws if it holds nothing. */
  async held(): Promise<SourceHold> {
    const look = await this.source.look({ signal: new AbortController().signal });
    if (look.kind !== 'held') throw new Error(`a look ended as ${look.kind}`);
    return look.hold;
  }

  /** Looks every ten seconds for this long, or less often; resolves with the result of the last look. */
  async pass(ms: number, everyMs = 10_000): Promise<Look['kind'] | 'failed'> {
    let last: Look['kind'] | 'failed' = 'failed';
    for (let passed = 0; passed < ms; passed += everyMs) {
      await this.clock.advance(everyMs);
      last = await this.look();
      await this.source.idle();
    }
    return last;
  }

  paths(): readonly string[] {
    const { generation } = this.shown!;
    return Array.from({ length: generation.entries }, (_, index) => index)
      .filter((index) => !generation.isDirectory(index))
      .map((index) => generation.path(index))
      .sort();
  }

  /** What a reader gets of a shown file. */
  async read(path: string): Promise<string> {
    const { generation } = this.shown!;
    const { etag, size } = generation.version(generation.find(path));
    const known = this.#bodies.get(`${path} ${etag}`);
    if (known !== undefined) return known;
    const answer = await this.content.get(path, { ifMatch: etag, size, signal: patience() });
    if (answer.etag !== etag) throw new Error(`${path} came with ${answer.etag}`);
    const body = (await read(answer.body)).toString();
    this.#bodies.set(`${path} ${etag}`, body);
    return body;
  }

  /** Forgets all content on the local disk. */
  forget(): void {
    this.#bodies.clear();
  }
}

function placeOf(t: Cleanup, store: Store): StandbyPlace & Place {
  const { transport, store: content } = openStore(t, store.endpoint);
  const source = new PrefixSource({
    target: atHost(TARGET, store.endpoint),
    transport,
    credentials: async () => CREDENTIALS,
    patterns: { include: [], exclude: [], executable: [] },
    salt: 7n,
    log: () => undefined,
  });
  const got: ContentStore = { get: (path, request) => content.get(path, request) };
  return {
    name: store.name,
    source,
    content: got,
    check: async (signal) => {
      await content.list({ signal });
    },
  };
}
