import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryItem, ProblemItem } from '../../src/control/shapes/status.ts';
import { generation, held, ID, OTHER_ID, statusOf, TestServer } from './fixture.ts';

const failed = {
  kind: 'failed',
  error: { code: 'unreachable', message: 'The store cannot be reached.', hint: 'Look at the network.' },
} as const;

describe('GET /v1/status', () => {
  test('answers what the daemon is', async (t) => {
    const server = await TestServer.start(t);
    const { status, json, headers } = await server.ask('/v1/status');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json');
    assert.deepEqual(json, statusOf());
  });

  test('answers before there is a tree, and while a listing is held', async (t) => {
    const changes = { generation: null, held, degraded: ['held', 'source-denied'] } as const;
    const server = await TestServer.start(t, {
      status: () => statusOf({ ...changes, degraded: [...changes.degraded] }),
    });
    const { json } = await server.ask('/v1/status');
    assert.equal(json.generation, null);
    assert.deepEqual(json.held, held);
  });
});

describe('GET /v1/ready and /v1/health', () => {
  test('are 200 where all is well', async (t) => {
    const server = await TestServer.start(t);
    for (const path of ['/v1/ready', '/v1/health']) {
      const { status, json } = await server.ask(path);
      assert.deepEqual([status, json], [200, { status: 'ok', reasons: [] }]);
    }
  });

  test('are 503 with the reasons where not', async (t) => {
    const server = await TestServer.start(t, {
      readiness: () => ({ status: 'fail', reasons: ['prefetching'] }),
      health: async () => ({ status: 'fail', reasons: ['session-unresponsive'] }),
    });
    assert.deepEqual((await server.ask('/v1/ready')).json, { status: 'fail', reasons: ['prefetching'] });
    const { status, json } = await server.ask('/v1/health');
    assert.deepEqual([status, json], [503, { status: 'fail', reasons: ['session-unresponsive'] }]);
  });
});

describe('GET /v1/generations', () => {
  const history: HistoryItem[] = Array.from({ length: 7 }, (_, at) => ({
    id: ID,
    number: at + 1,
    publishedAt: generation.publishedAt,
    files: 3,
    added: 0,
    changed: 1,
    removed: 0,
  }));

  test('lists the newest first, in pages', async (t) => {
    const server = await TestServer.start(t, { history: () => history });
    const numbers: number[] = [];
    let after = '';
    for (let pages = 0; pages < 10; pages++) {
      const { json } = await server.ask(`/v1/generations?limit=3${after}`);
      numbers.push(...(json.items as HistoryItem[]).map(({ number }) => number));
      if (json.next === null) break;
      after = `&after=${encodeURIComponent(json.next as string)}`;
    }
    assert.deepEqual(numbers, [7, 6, 5, 4, 3, 2, 1]);
  });

  test('goes on where a page ended although one was published meanwhile', async (t) => {
    const list = history.slice(0, 4);
    const server = await TestServer.start(t, { history: () => list });
    const first = await server.ask('/v1/generations?limit=2');
    list.push(history[4]!);
    const second = await server.ask(
      `/v1/generations?limit=9&after=${encodeURIComponent(first.json.next as string)}`,
    );
    assert.deepEqual(
      (second.json.items as HistoryItem[]).map(({ number }) => number),
      [2, 1],
    );
  });
});

describe('GET /v1/generations/{id}/changes', () => {
  const found = { from: OTHER_ID, to: ID, added: ['a', 'b', 'c'], changed: ['d'], removed: ['e', 'f'] };

  test('lists the paths, in pages over all three lists', async (t) => {
    const asked: unknown[] = [];
    const server = await TestServer.start(t, {
      changes: async (since, to) => {
        asked.push([since, to]);
        return found;
      },
    });
    const all = await server.ask(`/v1/generations/${ID}/changes?since=${OTHER_ID}`);
    assert.deepEqual(all.json, { ...found, next: null });
    assert.deepEqual(asked, [[OTHER_ID, ID]]);
    const pages: Record<string, unknown>[] = [];
    for (let after: string | null = ''; after !== null && pages.length < 10; ) {
      const { json } = await server.ask(
        `/v1/generations/${ID}/changes?limit=2${after === '' ? '' : `&after=${after}`}`,
      );
      pages.push(json);
      after = json.next as string | null;
    }
    assert.deepEqual(
      pages.map(({ added, changed, removed }) => [added, changed, removed]),
      [
        [['a', 'b'], [], []],
        [['c'], ['d'], []],
        [[], [], ['e', 'f']],
      ],
    );
  });

  test('is 410 for a generation that is no longer kept, and 400 for what is none', async (t) => {
    const server = await TestServer.start(t);
    const gone = await server.ask(`/v1/generations/${ID}/changes`);
    assert.deepEqual([gone.status, gone.json.code], [410, 'generation-gone']);
    for (const path of [
      'x/changes',
      `${ID.toUpperCase()}/changes`,
      `${ID}/changes?since=1`,
      `${ID}/changes?after=-1`,
    ]) {
      const { status, json } = await server.ask(`/v1/generations/${path}`);
      assert.ok(status === 400 || path.includes('after'), path);
      assert.ok(json.code === 'bad-parameter' || path.includes('after'), path);
    }
    const known = await TestServer.start(t, { changes: async () => found });
    assert.equal((await known.ask(`/v1/generations/${ID}/changes?after=7`)).status, 400);
  });
});

describe('GET /v1/problems', () => {
  const items: ProblemItem[] = ['a', 'b', 'b', 'b', 'c'].map((key, at) => ({
    key,
    reason: 'nul',
    detail: String(at),
  }));

  test('lists every key once, in pages, also where several are shown alike', async (t) => {
    const server = await TestServer.start(t, { problems: () => items });
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const seen: string[] = [];
      for (let after: string | null = ''; after !== null && seen.length < 10; ) {
        const query = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
        const { json } = await server.ask(`/v1/problems?limit=${limit}${query}`);
        seen.push(...(json.items as ProblemItem[]).map(({ detail }) => detail));
        after = json.next as string | null;
      }
      assert.deepEqual(seen, ['0', '1', '2', '3', '4'], `limit ${limit}`);
    }
  });

  test('refuses a limit or a place that cannot be', async (t) => {
    const server = await TestServer.start(t, { problems: () => items });
    for (const query of [
      'limit=0',
      'limit=10001',
      'limit=-1',
      'limit=x',
      'limit=',
      'limit=1&limit=2',
      'after=b',
      'after=0:b',
      'other=1',
    ]) {
      const { status, json } = await server.ask(`/v1/problems?${query}`);
      assert.deepEqual([status, json.code], [400, 'bad-parameter'], query);
    }
    assert.equal((await server.ask('/v1/problems?limit=10000')).status, 200);
  });
});

describe('POST /v1/refresh', () => {
  test('without wait answers 202 at once', async (t) => {
    const server = await TestServer.start(t, { refresh: () => new Promise(() => undefined) });
    for (const body of [{}, { wait: false }]) {
      const { status, json } = await server.post('/v1/refresh', body);
      assert.deepEqual([status, json], [202, { outcome: 'requested', generation }]);
    }
    assert.equal((await server.ask('/v1/refresh', { method: 'POST' })).status, 202);
    assert.deepEqual(server.logged.slice(0, 2), ['asked', 'answered']);
  });

  test('with wait answers the generation that is then current', async (t) => {
    const server = await TestServer.start(t, { refresh: async () => ({ kind: 'published', generation }) });
    const { status, json } = await server.post('/v1/refresh', { wait: true });
    assert.deepEqual([status, json], [200, { outcome: 'published', generation }]);
  });

  test('with wait is 409 where the listing is held', async (t) => {
    const server = await TestServer.start(t, { refresh: async () => ({ kind: 'held', held }) });
    const { status, json } = await server.post('/v1/refresh', { wait: true });
    assert.deepEqual([status, json.code, json.held], [409, 'held', held]);
  });

  test('with wait is 503 where the store cannot be had, and says why', async (t) => {
    const codes = {
      unreachable: 'source-unreachable',
      'no-such-bucket': 'source-unreachable',
      denied: 'source-denied',
      expired: 'source-denied',
      throttled: 'source-throttled',
      unsettled: 'unsettled',
    };
    for (const [code, problem] of Object.entries(codes)) {
      const end = { ...failed, error: { ...failed.error, code } };
      const server = await TestServer.start(t, { refresh: async () => end });
      const { status, json } = await server.post('/v1/refresh', { wait: true });
      assert.deepEqual([status, json.code, json.sourceCode], [503, problem, code]);
      assert.deepEqual([json.detail, json.hint], [failed.error.message, failed.error.hint]);
    }
  });

  test('with wait is 504 where it takes too long, and 503 where the daemon ends', async (t) => {
    const slow = await TestServer.start(t, { refresh: () => new Promise(() => undefined) });
    const late = await slow.post('/v1/refresh', { wait: true, timeoutSeconds: 1 });
    assert.deepEqual([late.status, late.json.code], [504, 'timed-out']);
    const ending = await TestServer.start(t, { refresh: () => Promise.reject(new Error('over')) });
    const over = await ending.post('/v1/refresh', { wait: true });
    assert.deepEqual([over.status, over.json.code], [503, 'stopping']);
    assert.equal((await ending.post('/v1/refresh', {})).status, 202);
  });
});

describe('POST /v1/accept', () => {
  test('answers what was published', async (t) => {
    const asked: (string | undefined)[] = [];
    const server = await TestServer.start(t, {
      accept: async (id) => {
        asked.push(id);
        return { kind: 'accepted', generation };
      },
    });
    assert.deepEqual((await server.post('/v1/accept', {})).json, { generation });
    assert.equal((await server.post('/v1/accept', { generation: ID })).status, 200);
    assert.deepEqual(asked, [undefined, ID]);
  });

  test('is 404 where nothing is held, 409 where it is another, 503 where the store fails', async (t) => {
    const ends = [
      [{ kind: 'nothing-held' }, 404, 'nothing-held'],
      [{ kind: 'changed', held }, 409, 'held-changed'],
      [{ kind: 'changed', held: undefined }, 409, 'held-changed'],
      [{ kind: 'changed', held: { ...held, acceptable: true } }, 409, 'held-changed'],
      [{ kind: 'changed', held: { ...held, acceptable: false } }, 409, 'not-acceptable'],
      [failed, 503, 'source-unreachable'],
    ] as const;
    for (const [end, status, code] of ends) {
      const server = await TestServer.start(t, { accept: async () => end });
      const answered = await server.post('/v1/accept', {});
      assert.deepEqual([answered.status, answered.json.code], [status, code]);
    }
  });
});

describe('GET /metrics', () => {
  test('answers text', async (t) => {
    const server = await TestServer.start(t);
    const { status, text, headers } = await server.ask('/metrics');
    assert.deepEqual([status, text], [200, 'dagmount_ready 1\n']);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4');
  });
});
