import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { NOTHING_COUNTED } from '../../src/session/messages.ts';
import { RequestMeter } from '../../src/session/request-meter.ts';
import { DaemonViews, type Observed } from '../../src/views/daemon-views.ts';
import { World } from '../sync/doubles/world.ts';

const stats = {
  entries: 0,
  bytes: 0,
  limitBytes: 100,
  hits: 0,
  misses: 0,
  evictions: 0,
  corrupt: 0,
  pinned: 0,
  passedThrough: 0,
  degraded: [],
} as const;

const meter = new RequestMeter(RequestMeter.memory());

function viewsOf(world: World, changes: Partial<Observed> = {}): DaemonViews {
  return new DaemonViews({
    publications: { stuck: undefined },
    restart: async () => ({ kind: 'unsupervised' }),
    driver: 'kernel',
    supervision: () => ({ supervised: true, restarts: 0, takeover: 'resend' }),
    version: '0',
    pid: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    mountId: '0123456789ab',
    source: 's3://b/p/',
    prefix: 'p/',
    target: '/x',
    sync: world.sync,
    cache: { stats: () => stats },
    metrics: new Metrics({ version: '0', node: 'v0' }),
    counters: async () => NOTHING_COUNTED,
    meter,
    isMounted: () => true,
    now: () => world.clock.now(),
    ...changes,
  });
}

describe('what the control socket shows of a daemon', () => {
  test('says that the driver is not the one that keeps all promises', async () => {
    const world = new World();
    world.source.putFiles(20);
    await world.start();
    const { degraded, mount } = viewsOf(world, { driver: 'fuse-native' }).status();
    assert.deepEqual([degraded, mount.driver], [['weak-driver'], 'fuse-native']);
    assert.deepEqual(viewsOf(world).status().degraded, []);
  });

  test('says that the source is slow, and how long a listing takes, while one lasts longer than a minute', async () => {
    const world = new World();
    world.source.putFiles(20);
    await world.start();
    const views = viewsOf(world);
    assert.equal(views.status().source.listingSeconds, 0);
    world.source.onList = () => world.clock.sleep(200_000, new AbortController().signal);
    const refreshed = world.sync.refresh();
    await world.clock.advance(100_000);
    const { degraded, source, ready } = views.status();
    assert.deepEqual([degraded, source.listingSeconds, ready], [['source-slow'], 100, true]);
    const { text } = await views.metrics();
    assert.match(text, /^dagmount_source_slow 1$/m);
    assert.match(text, /^dagmount_source_listing_seconds 100$/m);
    world.source.onList = () => undefined;
    await world.clock.advance(100_000);
    await refreshed;
    await world.sync.refresh();
    assert.deepEqual(views.status().degraded, []);
    assert.match((await views.metrics()).text, /^dagmount_source_slow 0$/m);
  });

  test('counts every problem, those too that are not named', async () => {
    const world = new World();
    for (let i = 0; i < 1_200; i++) world.source.put(`a//${i}`);
    world.source.putFiles(3);
    await world.start();
    const views = viewsOf(world);
    assert.deepEqual([views.status().problems, views.problems().length], [1_200, 1_000]);
    assert.match((await views.metrics()).text, /^dagmount_problems\{reason="empty-component"\} 1200$/m);
  });

  test('names what is wrong with the source by the code of its last failure', async () => {
    const world = new World();
    world.source.putFiles(20);
    await world.start();
    const views = viewsOf(world);
    assert.deepEqual(views.status().degraded, []);
    for (const [code, degraded] of [
      ['unreachable', ['source-unreachable']],
      ['denied', ['source-denied']],
      ['throttled', ['source-throttled']],
    ] as const) {
      world.source.listFails = code;
      const end = await world.clock.drive(views.refresh());
      assert.equal(end.kind, 'failed');
      assert.deepEqual(views.status().degraded, degraded);
    }
    world.source.listFails = undefined;
    await world.clock.drive(views.refresh());
    assert.deepEqual(views.status().degraded, []);
    await world.stop();
  });

  test('is ill only where the session does not answer', async () => {
    const world = new World();
    world.source.listFails = 'unreachable';
    assert.deepEqual(await viewsOf(world).health(), { status: 'ok', reasons: [] });
    const silent = viewsOf(world, { counters: () => new Promise(() => undefined), answerMs: 10 });
    assert.deepEqual(await silent.health(), { status: 'fail', reasons: ['session-unresponsive'] });
    const { text } = await silent.metrics();
    assert.match(text, /^dagmount_ready 0$/m);
  });

  test('is not ready before there is a tree, nor once it is given up', async () => {
    const world = new World();
    world.source.putFiles(20);
    assert.deepEqual(viewsOf(world).readiness().reasons, ['no-tree']);
    await world.start();
    await world.clock.drive(world.sync.ready);
    assert.equal(viewsOf(world).readiness().status, 'ok');
    assert.deepEqual(viewsOf(world, { isMounted: () => false }).readiness().reasons, ['not-mounted']);
    await world.stop();
  });

  test('says nothing in the metrics of what is not known', async () => {
    const { text } = await viewsOf(new World()).metrics();
    for (const name of [
      'generation_number',
      'source_staleness_seconds',
      'source_last_success_timestamp_seconds',
    ]) {
      assert.doesNotMatch(text, new RegExp(`^dagmount_${name} `, 'm'));
    }
    assert.match(text, /^dagmount_build_info\{version="0",node="v0"\} 1$/m);
  });
});
