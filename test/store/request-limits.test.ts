import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestLimits } from '../../src/store/http/request-limits.ts';
import { waitFor } from '../support/wait-for.ts';
import { FakeStore, object } from './fake-store.ts';
import { failureOf, openStore, patience } from './open-store.ts';

/** Lets all pending callbacks run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function counting(limits: RequestLimits) {
  const places: (() => void)[] = [];
  return {
    places,
    take: (priority: 'demand' | 'background') => {
      limits.acquire(priority, patience()).then((release) => places.push(release));
    },
  };
}

test('no more requests are under way than allowed, whoever asks', async () => {
  const { places, take } = counting(new RequestLimits(8));
  for (let i = 0; i < 20; i++) take(i % 2 === 0 ? 'demand' : 'background');
  await settle();
  assert.equal(places.length, 8);
  places[0]?.();
  places[0]?.();
  await settle();
  assert.equal(places.length, 9);
});

test('an eighth is kept free for readers', async () => {
  const { places, take } = counting(new RequestLimits(16));
  for (let i = 0; i < 20; i++) take('background');
  await settle();
  assert.equal(places.length, 14);
  take('demand');
  take('demand');
  take('demand');
  await settle();
  assert.equal(places.length, 16);
});

test('a limit of one serves both', async () => {
  const { places, take } = counting(new RequestLimits(1));
  take('background');
  await settle();
  assert.equal(places.length, 1);
  take('demand');
  places[0]?.();
  await settle();
  assert.equal(places.length, 2);
});

test('who waits for a place and is aborted waits no more, and takes none', async () => {
  const limits = new RequestLimits(1);
  const release = await limits.acquire('demand', patience());
  const controller = new AbortController();
  const waiting = failureOf(limits.acquire('demand', controller.signal));
  controller.abort();
  assert.equal((await waiting).code, 'aborted');
  release();
  await limits.acquire('demand', patience());
});

test('a background request that is aborted lets the next one in its place, before the gate and past it', async () => {
  const limits = new RequestLimits(2);
  const { places, take } = counting(limits);
  take('demand');
  take('demand');
  const passed = new AbortController();
  const before = new AbortController();
  const failures = [passed, before].map(({ signal }) => failureOf(limits.acquire('background', signal)));
  take('background');
  before.abort();
  passed.abort();
  assert.deepEqual(
    (await Promise.all(failures)).map(({ code }) => code),
    ['aborted', 'aborted'],
  );
  await settle();
  assert.equal(places.length, 2);
  places[0]?.();
  await settle();
  assert.equal(places.length, 3);
});

test('get and head share the places, and a place is held until the bytes are there', async (t) => {
  const fake = await FakeStore.start(t, () => object('x'));
  const { store } = openStore(t, fake.origin, { concurrency: 4 });
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      const priority = i % 3 === 0 ? 'background' : 'demand';
      return i % 2 === 0
        ? store.get(`k${i}`, { signal: patience(), priority })
        : store.head(`k${i}`, { signal: patience(), priority });
    }),
  );
  assert.equal(fake.requests.length, 60);
  assert.ok(fake.mostAtOnce <= 4, `${fake.mostAtOnce} at once`);
});

test('a failed request gives its place back', async (t) => {
  const fake = await FakeStore.start(t, () => ({ status: 404 }));
  const { store } = openStore(t, fake.origin, { concurrency: 1 });
  await failureOf(store.head('a', { signal: patience() }));
  await failureOf(store.get('a', { signal: patience() }));
  const controller = new AbortController();
  fake.answering = () => 'hang';
  const aborted = failureOf(store.get('a', { signal: controller.signal }));
  await waitFor('the request', () => fake.requests.length === 3);
  controller.abort();
  await aborted;
  fake.answering = () => object('x');
  assert.equal((await store.get('a', { signal: patience() })).size, 1);
});

test('one signal stops thousands of requests, and Node warns of no leak', async (t) => {
  const fake = await FakeStore.start(t, () => 'hang');
  const { store } = openStore(t, fake.origin, { concurrency: 4 });
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  t.after(() => process.removeListener('warning', warned));
  const controller = new AbortController();
  const failures = Array.from({ length: 3000 }, (_, i) =>
    failureOf(store.get(`k${i}`, { signal: controller.signal })),
  );
  await waitFor('requests', () => fake.requests.length === 4);
  controller.abort();
  assert.deepEqual(new Set((await Promise.all(failures)).map(({ code }) => code)), new Set(['aborted']));
  assert.equal(fake.requests.length, 4);
  assert.deepEqual(warnings, []);
});
