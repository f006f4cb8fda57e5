import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inTrees } from '../../src/control/endpoints/in-trees.ts';
import { refreshTreesRoute } from '../../src/control/endpoints/refresh-trees.ts';
import { type Call, route } from '../../src/control/endpoints/route.ts';
import { Router } from '../../src/control/http/router.ts';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { RefusedRequest } from '../../src/control/refused-request.ts';
import {
  noQueryShape,
  refreshedTreesShape,
  type Status,
  statusShape,
} from '../../src/control/shapes/status.ts';
import type { ControlViews } from '../../src/control/views.ts';
import { NOTHING_COUNTED } from '../../src/session/messages.ts';
import { RequestMeter } from '../../src/session/request-meter.ts';
import { MountViews } from '../../src/views/mount-views.ts';
import { fakeViews, generation, held, statusOf } from './fixture.ts';

function viewsOf(
  trees: Readonly<Record<string, Partial<Status>>>,
  metrics = new Metrics({ version: '0', node: 'v0' }),
) {
  return new MountViews({
    source: 'trees:a+b',
    target: '/opt/dags',
    metrics,
    counters: async () => NOTHING_COUNTED,
    meter: new RequestMeter(RequestMeter.memory()),
    restart: async () => ({ kind: 'unsupervised' }),
    trees: Object.entries(trees).map(([path, changes]) => {
      const status = statusOf(changes);
      return {
        path,
        views: {
          status: () => status,
          readiness: () => ({
            status: status.ready ? 'ok' : 'fail',
            reasons: status.ready ? [] : ['prefetching'],
          }),
          snapshot: () => ({ status, problems: new Map([['nul', 2]]) }),
        },
      };
    }),
  });
}

describe('the status of a mount with several trees', () => {
  test('has each tree, and of the whole what holds for any of them', () => {
    const source = { ...statusOf({}).source, stalenessSeconds: 500 };
    const status = viewsOf({
      a: { problems: 1 },
      b: { held, degraded: ['held'], ready: false, source, problems: 2 },
    }).status();
    assert.ok(statusShape.safeParse(status).success, JSON.stringify(statusShape.safeParse(status).error));
    assert.deepEqual(
      status.trees?.map(({ path, held: of, ready }) => [path, of !== null, ready]),
      [
        ['a', false, true],
        ['b', true, false],
      ],
    );
    assert.deepEqual([status.ready, status.mount.layout, status.generation], [false, 'trees', null]);
    assert.deepEqual([status.mount.source, status.mount.target], ['trees:a+b', '/opt/dags']);
    assert.equal(status.source.stalenessSeconds, 500, 'the one furthest behind');
    assert.deepEqual(status.held, held);
    assert.ok(status.degraded.includes('held'));
    assert.equal(status.problems, 3);
    assert.equal(status.cache.entries, 2 * statusOf({}).cache.entries);
  });

  test('counts a tree that was never seen as furthest behind', () => {
    const never = { ...statusOf({}).source, stalenessSeconds: null, lastSuccessAt: null };
    assert.equal(viewsOf({ a: {}, b: { source: never } }).status().source.lastSuccessAt, null);
  });

  test('is ready when all trees are, and names those that are not', () => {
    assert.deepEqual(viewsOf({ a: {}, b: { ready: false } }).readiness(), {
      status: 'fail',
      reasons: ['b: prefetching'],
    });
    assert.equal(viewsOf({ a: {}, b: {} }).readiness().status, 'ok');
  });
});

describe('the metrics of a mount with several trees', () => {
  test('have the label tree where they are of a tree, and none of a tree that is gone', async () => {
    const metrics = new Metrics({ version: '0', node: 'v0' });
    metrics.of('a').request('list', 'ok', 12);
    metrics.of('b').bytes(5);
    const { text } = await viewsOf({ a: { held }, b: {} }, metrics).metrics(false);
    for (const line of [
      /^dagmount_held\{tree="a"\} 1$/m,
      /^dagmount_held\{tree="b"\} 0$/m,
      /^dagmount_source_requests_total\{(operation="list",outcome="ok",tree="a"|tree="a",operation="list",outcome="ok")\} 1$/m,
      /^dagmount_source_bytes_total\{tree="b"\} 5$/m,
      /^dagmount_problems\{(reason="nul",tree="b"|tree="b",reason="nul")\} 2$/m,
      /^dagmount_ready 1$/m,
      /^dagmount_supervised \d$/m,
    ])
      assert.match(text, line);
    assert.doesNotMatch(text, /^dagmount_held \d/m);
    assert.doesNotMatch(text, /^dagmount_source_bytes_total \d/m);
  });
});

describe('the routes of trees', () => {
  const router = new Router(
    inTrees(
      ['a', 'team/b'].map((path) => ({
        path,
        routes: [
          route({
            method: 'GET',
            path: '/v1/entries/{path...}',
            summary: 'One',
            query: noQueryShape,
            answers: {},
            handle: ({ parameters }) => ({ status: 200, json: [path, parameters] }),
          }),
        ],
      })),
    ),
  );
  const ask = (address: string): unknown => {
    const { route: found, parameters } = router.match('GET', address);
    return found.handle({ parameters } as Call<unknown, unknown>);
  };

  test('are below the address of the tree, its slashes encoded', () => {
    assert.deepEqual(ask('/v1/trees/team%2Fb/entries/x/y.py'), {
      status: 200,
      json: ['team/b', { path: 'x/y.py' }],
    });
    assert.deepEqual(ask('/v1/trees/a/entries/x'), { status: 200, json: ['a', { path: 'x' }] });
  });

  test('say which trees there are', () => {
    assert.throws(() => ask('/v1/trees/c/entries/x'), { code: 'not-found' });
  });
});

describe('POST /v1/refresh of a mount with several trees', () => {
  const call = (body: object): Call<unknown, unknown> => ({
    ...{ parameters: {}, query: {}, headers: {}, id: '1', signal: new AbortController().signal },
    body,
  });
  const never = (): Promise<never> => new Promise(() => undefined);
  const refreshOf = (refreshes: Readonly<Record<string, ControlViews['refresh']>>) =>
    refreshTreesRoute(
      Object.entries(refreshes).map(([path, refresh]) => ({ path, views: fakeViews({ refresh }) })),
    );
  const unreachable = { code: 'unreachable', message: 'It does not answer.', hint: 'Look at it.' };
  const refused = async (asked: unknown): Promise<RefusedRequest> => {
    const error = await Promise.resolve(asked).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RefusedRequest);
    return error;
  };

  test('answers at once where no client waits, and has every tree look', async () => {
    const looked: string[] = [];
    const look = (path: string) => (): Promise<never> => {
      looked.push(path);
      return never();
    };
    const answer = await refreshOf({ a: look('a'), b: look('b') }).handle(call({}));
    assert.deepEqual(answer, {
      status: 202,
      json: {
        trees: ['a', 'b'].map((path) => ({ path, outcome: 'requested', generation })),
      },
    });
    assert.deepEqual(looked, ['a', 'b']);
  });

  test('says what became of each tree', async () => {
    const other = { ...generation, number: 3 };
    const answer = await refreshOf({
      a: async () => ({ kind: 'current', generation }),
      b: async () => ({ kind: 'published', generation: other }),
    }).handle(call({ wait: true }));
    assert.deepEqual(answer, {
      status: 200,
      json: {
        trees: [
          { path: 'a', outcome: 'current', generation },
          { path: 'b', outcome: 'published', generation: other },
        ],
      },
    });
    assert.ok('json' in answer && refreshedTreesShape.safeParse(answer.json).success);
  });

  test('does not wait for a tree that cannot be shown yet, and says why', async () => {
    const status = statusOf();
    const at = '2026-11-21T19:31:03.838Z';
    const message = 'The store refused access.';
    const lastError = { code: 'denied', message, detail: null, hint: 'Grant it.', at };
    const trees = [
      { path: 'a', views: fakeViews({ refresh: async () => ({ kind: 'current', generation }) }) },
      {
        path: 'b',
        views: fakeViews({
          refresh: never,
          status: () => ({ ...status, generation: null, source: { ...status.source, lastError } }),
        }),
      },
    ];
    const { code, details } = await refused(refreshTreesRoute(trees).handle(call({ wait: true })));
    assert.equal(code, 'source-denied');
    assert.match(String(details.detail), /b \(source-denied\).*The store refused access/);
  });

  test('is refused with the worst failure, and has the outcome of every tree, one that hangs included', async () => {
    const { code, status, details } = await refused(
      refreshOf({
        hangs: never,
        held: async () => ({ kind: 'held', held }),
        down: async () => ({ kind: 'failed', error: unreachable }),
        well: async () => ({ kind: 'published', generation }),
      }).handle(call({ wait: true, timeoutSeconds: 1 })),
    );
    assert.deepEqual([code, status], ['source-unreachable', 503]);
    const shape = refreshedTreesShape.safeParse({ trees: details.trees });
    assert.ok(shape.success);
    assert.deepEqual(
      shape.data.trees.map(({ path, outcome, error }) => [path, outcome, error?.code]),
      [
        ['hangs', 'failed', 'timed-out'],
        ['held', 'failed', 'held'],
        ['down', 'failed', 'source-unreachable'],
        ['well', 'published', undefined],
      ],
    );
    assert.match(details.detail, /hangs \(timed-out\), held \(held\), down \(source-unreachable\)/);
    assert.equal(details.hint, unreachable.hint);
  });
});
