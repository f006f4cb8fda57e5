import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { LogLevel, LogLineAt } from '../../src/base/log-events.ts';
import type { Logger } from '../../src/base/logger.ts';
import type { CacheViews } from '../../src/control/cache-views.ts';
import {
  type Closing,
  type ControlServerOptions,
  startControlServer,
} from '../../src/control/control-server.ts';
import { controlRoutes } from '../../src/control/endpoints/endpoints.ts';
import type { ProcessViews } from '../../src/control/endpoints/process.ts';
import { EventFeed } from '../../src/control/event-feed.ts';
import { Router } from '../../src/control/http/router.ts';
import type { CacheTotals, PathResult } from '../../src/control/shapes/cache.ts';
import type { Entry } from '../../src/control/shapes/entries.ts';
import { problemDetailsShape, type Status } from '../../src/control/shapes/status.ts';
import type { TreeViews } from '../../src/control/tree-views.ts';
import type { ControlParts, ControlViews } from '../../src/control/views.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

export const ID = '0123456789abcdef0123456789abcdef';
export const OTHER_ID = 'f'.repeat(32);
export const TIME = '2026-01-01T00:00:00.000Z';

/** Counts of the cache, as in status and in its totals. */
const counts = {
  entries: 3,
  bytes: 30,
  limitBytes: 2 ** 31,
  hits: 1,
  misses: 2,
  evictions: 0,
  corrupt: 0,
  pinned: 0,
  pendingFiles: 0,
  pendingBytes: 0,
};

export const generation = { id: ID, number: 2, publishedAt: TIME, files: 3, directories: 1, bytes: 30 };
export const held = {
  generation: OTHER_ID,
  files: 1,
  removed: 9,
  since: TIME,
  reason: 'mass-deletion',
  detail: 'Too many files are gone.',
};

export const release: NonNullable<Status['release']> = {
  ref: 'production',
  seq: 42,
  id: `sha256-${'a1'.repeat(32)}`,
  author: 'Zoe <zoe@example.com>',
  message: 'Load the orders\n\nIn two steps',
  commit: 'c0ffee'.padEnd(40, '0'),
  url: 'https://ci.example.com/runs/1',
  created: TIME,
  signedBy: [{ fingerprint: 'SHA256:abc', principals: 'zoe@example.com' }],
  armed: null,
};
/** A release as the history shows it. */
export const pastRelease = {
  seq: release.seq,
  id: release.id,
  author: release.author,
  message: release.message,
};

export function statusOf(changes: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    pid: 7,
    startedAt: TIME,
    ready: true,
    degraded: [],
    mount: {
      id: '0123456789ab',
      source: 's3://b/p/',
      target: '/opt/dags',
      layout: 'tree',
      driver: 'kernel',
      supervised: false,
      restarts: 0,
      takeover: 'remount',
    },
    generation,
    source: {
      kind: 'prefix',
      lastAttemptAt: TIME,
      lastSuccessAt: TIME,
      stalenessSeconds: 2.5,
      consecutiveFailures: 0,
      failingSince: null,
      lastError: null,
      listingSeconds: 0.25,
      traits: [],
      credentials: null,
      standby: null,
    },
    release: null,
    versions: null,
    stuck: null,
    held: null,
    waiting: null,
    cache: counts,
    problems: 0,
    ...changes,
  };
}

/** A daemon where nothing happens, except what a test specifies. */
export function fakeViews(changes: Partial<ControlViews> = {}): ControlViews {
  return {
    status: () => statusOf(),
    readiness: () => ({ status: 'ok', reasons: [] }),
    health: async () => ({ status: 'ok', reasons: [] }),
    history: () => [],
    changes: async () => undefined,
    problems: () => [],
    refresh: async () => ({ kind: 'current', generation }),
    restart: async () => ({ kind: 'stands-by' }),
    accept: async () => ({ kind: 'nothing-held' }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'dagmount_ready 1\n' }),
    ...changes,
  };
}

const entry: Entry = {
  path: 'a/b.py',
  kind: 'file',
  key: 'p/a/b.py',
  size: 3,
  etag: 'e1',
  versionId: null,
  lastModified: TIME,
  mtime: TIME,
  executable: false,
  generation: { id: ID, number: 2 },
  firstVisible: { at: TIME, generation: { id: ID, number: 2 } },
  cached: true,
  cachedBytes: 3,
  checksum: { algorithm: 'sha256', value: 'a'.repeat(64) },
  pinned: false,
  nodeIds: { current: 3, replaced: [] },
  problems: [],
};

export const totals: CacheTotals = {
  directory: '/var/cache/dagmount/v1/0123456789ab',
  ...counts,
  pinnedBytes: 0,
  pinnedPaths: 0,
  passedThrough: 0,
  ranks: {
    beside: { entries: 0, bytes: 0 },
    hidden: { entries: 0, bytes: 0 },
    past: { entries: 0, bytes: 0 },
    kept: { entries: 3, bytes: 30 },
  },
  degraded: [],
};

export interface FakeParts {
  readonly tree?: Partial<TreeViews>;
  readonly cache?: Partial<CacheViews>;
  readonly events?: EventFeed;
  readonly process?: Partial<ProcessViews>;
}

export function fakeParts({ tree, cache, events, process }: FakeParts = {}): ControlParts {
  const done = async (paths: readonly string[]): Promise<PathResult[]> =>
    paths.map((path) => ({ path, outcome: 'done', files: 1, bytes: 3, code: null, detail: null }));
  return {
    version: '0.1.0',
    tree: {
      id: () => ID,
      page: async () => ({ id: ID, items: [], next: null }),
      entry: async () => entry,
      ...tree,
    },
    cache: {
      totals: () => totals,
      blobs: () => ({ items: [], next: undefined }),
      evict: done,
      pin: done,
      unpin: done,
      prefetch: done,
      verify: async () => ({ blobs: 3, bytes: 30, corrupt: 0, removed: [] }),
      ...cache,
    },
    events: events ?? new EventFeed({ now: () => Date.parse(TIME), epoch: 'e' }),
    process: {
      config: () => ({
        mount: { id: '0123456789ab', source: 's3://b/p/', target: '/opt/dags' },
        options: [],
      }),
      setLogLevel: () => 'info',
      ...process,
    },
  };
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export class TestServer {
  readonly socket: string;
  readonly logged: string[] = [];
  metricsPort: number | undefined;
  #close: (closing?: Closing) => Promise<void> = async () => undefined;
  readonly #router: Router;

  static async start(
    test: Cleanup,
    views: Partial<ControlViews> = {},
    options: Partial<Omit<ControlServerOptions, 'parts'>> & { readonly parts?: FakeParts } = {},
  ): Promise<TestServer> {
    const server = new TestServer(join(await temporaryDirectory(test), 'control.sock'), views);
    const { parts, ...others } = options;
    const all = fakeParts(parts);
    const shown = fakeViews(views);
    const write = ({ event }: LogLineAt<LogLevel>): void => {
      server.logged.push(event);
    };
    const log: Logger = { debug: write, info: write, warn: write, error: write };
    const started = await startControlServer({
      routes: controlRoutes(shown, all),
      views: shown,
      events: all.events,
      log,
      socket: { path: server.socket, mode: 0o600, gid: undefined, uid: process.geteuid?.() ?? 0 },
      metrics: undefined,
      ...others,
    });
    server.metricsPort = started.metricsPort;
    server.#close = (closing) => started.close(closing);
    defer(test, () => server.close());
    return server;
  }

  constructor(socket: string, views: Partial<ControlViews>) {
    this.socket = socket;
    this.#router = new Router(controlRoutes(fakeViews(views), fakeParts()));
  }

  close(closing?: Closing): Promise<void> {
    return this.#close(closing);
  }

  /** Sends a request, and checks the answer against the shape that its route declares. */
  async ask(path: string, sent: Sent = {}): Promise<Answered> {
    const answered = await exchange({ socketPath: this.socket }, path, sent);
    this.#check(path, sent.method ?? 'GET', answered);
    return answered;
  }

  post(path: string, body: unknown): Promise<Answered> {
    return this.ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Opens a connection for bytes that no client would send. */
  connect(): Promise<RawConnection> {
    return RawConnection.open(this.socket);
  }

  #check(path: string, method: string, { status, headers, json }: Answered): void {
    assert.equal(headers['cache-control'], headers.etag === undefined ? 'no-store' : 'no-cache');
    if (method === 'HEAD' || status === 304) return;
    if (headers['content-type'] === 'application/problem+json') {
      assert.ok(z.safeParse(problemDetailsShape, json).success, JSON.stringify(json));
      assert.equal(json.status, status);
      return;
    }
    const { route } = this.#router.match(method, path.split('?')[0] as string);
    assert.ok(status in route.answers, `${status} is declared for ${path}`);
    const shape = route.answers[status];
    if (shape === undefined) return;
    const checked = z.safeParse(shape, json);
    assert.ok(checked.success, `${path}: ${JSON.stringify(checked.error?.issues)}`);
  }
}

export function exchange(
  where: { readonly socketPath: string } | { readonly host: string; readonly port: number },
  path: string,
  { method = 'GET', headers = {}, body }: Sent,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      { ...where, path, method, headers, agent: false, signal: AbortSignal.timeout(20_000) },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

export class RawConnection {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  #received = '';

  static async open(path: string): Promise<RawConnection> {
    const socket = createConnection({ path });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    // If the server cuts the connection, this end sees a reset.
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  get received(): string {
    return this.#received;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** All bytes that came until the server closed. */
  async all(): Promise<string> {
    await this.ended;
    return this.#received;
  }
}
