import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { releaseKeys } from '../../../src/release/index.ts';
import { HOUR, reasonOf, released, signal, watchOf } from './looks.ts';
import { ENVIRONMENT, WrittenRoot } from './written-root.ts';

describe('a release that is armed', () => {
  test('is given at once, with its instant, and once more when that has come', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    const instant = store.now + HOUR;
    const second = store.deploy(['b.py'], first, { notBefore: instant });
    const look = await watch.look(signal);
    assert.ok(look.kind === 'armed');
    assert.equal(look.instant, instant);
    assert.equal(look.release.step.digest, second.digest);
    assert.equal(look.release.manifest.files[0]?.path, 'b.py');
    assert.deepEqual(look.meanwhile, { kind: 'unchanged' });
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
    store.now = instant;
    const due = await watch.look(signal);
    assert.ok(due.kind === 'due');
    assert.equal(due.step.digest, second.digest);
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
  });

  test('comes to nothing once a step follows it', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    const armed = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    await watch.look(signal);
    const back = store.deploy(['a.py'], armed, { action: 'rollback' });
    assert.equal(released(await watch.look(signal)), back.digest);
    store.now += 2 * HOUR;
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
  });

  test('whose instant has passed is a release like any other', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined, { notBefore: store.now - 1 });
    assert.equal(released(await watchOf(store).look(signal)), step.digest);
  });

  test("comes at the store's instant, whatever the clock of this host says", async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store, { clock: { now: () => store.now - 24 * HOUR } });
    await watch.look(signal);
    store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    assert.equal((await watch.look(signal)).kind, 'armed');
    store.now += HOUR + 1000;
    assert.equal((await watch.look(signal)).kind, 'due');
    assert.ok(Math.abs(watch.storeClock.offset - 24 * HOUR) <= 1000);
  });

  test('is dropped while the ref is held, and given anew after that', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    const armed = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    await watch.look(signal);
    store.objects.delete(releaseKeys.ref(ENVIRONMENT));
    assert.equal(reasonOf(await watch.look(signal)), 'missing-ref');
    store.putRef(armed);
    assert.equal((await watch.look(signal)).kind, 'armed');
    store.objects.delete(releaseKeys.ref(ENVIRONMENT));
    await watch.look(signal);
    store.now += 2 * HOUR;
    assert.equal(reasonOf(await watch.look(signal)), 'missing-ref');
    store.putRef(armed);
    assert.equal(released(await watch.look(signal)), armed.digest);
  });
});

describe('a node that starts while a release is armed', () => {
  test('shows the release before it, from the log', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    const look = await watchOf(store).look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'release');
    assert.equal(look.meanwhile.release.step.digest, first.digest);
    assert.equal(look.meanwhile.release.manifest.files[0]?.path, 'a.py');
  });

  test('shows the one before those that were taken back before their instants', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const taken = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    store.deploy(['c.py'], taken, { notBefore: store.now + 2 * HOUR });
    const look = await watchOf(store).look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'release');
    assert.equal(look.meanwhile.release.step.digest, first.digest);
  });

  test('shows the one before it, also where that was armed in its day', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const second = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    store.now += 2 * HOUR;
    store.deploy(['c.py'], second, { notBefore: store.now + HOUR });
    const look = await watchOf(store).look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'release');
    assert.equal(look.meanwhile.release.step.digest, second.digest);
  });

  test('has nothing to show where it is the first of its environment', async () => {
    const store = new WrittenRoot();
    store.deploy(['a.py'], undefined, { notBefore: store.now + HOUR });
    const look = await watchOf(store).look(signal);
    assert.ok(look.kind === 'armed');
    assert.deepEqual(look.meanwhile, { kind: 'nothing' });
  });

  test('is told why, where the log cannot say which one was before it', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    const key = releaseKeys.logEntry(ENVIRONMENT, 1);
    const entry = store.objects.get(key)!;
    const meanwhile = async (): Promise<string> => {
      const look = await watchOf(store).look(signal);
      assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'held');
      return look.meanwhile.hold.reason;
    };
    store.objects.delete(key);
    assert.equal(await meanwhile(), 'missing-log');
    store.objects.set(key, Buffer.from('{'));
    assert.equal(await meanwhile(), 'damaged-ref');
    store.deploy(['x.py'], undefined, {}, () => []);
    const other = store.objects.get(key)!;
    assert.notDeepEqual(other, entry);
    store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    assert.equal(await meanwhile(), 'broken-chain');
    const manifest = releaseKeys.manifest(first.payload.release, first.payload.manifest.sha256);
    store.objects.set(key, entry);
    store.objects.delete(manifest);
    assert.equal(await meanwhile(), 'missing-manifest');
  });

  test('that had missed a release catches up with it first', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    const second = store.deploy(['b.py'], first);
    store.deploy(['c.py'], second, { notBefore: store.now + HOUR });
    const look = await watch.look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'release');
    assert.equal(look.meanwhile.release.step.digest, second.digest);
  });

  test('gives up on a chain of armed steps without end', async () => {
    const store = new WrittenRoot();
    let step = store.deploy(['a.py'], undefined);
    for (let at = 0; at < 40; at++) step = store.deploy(['b.py'], step, { notBefore: store.now + HOUR });
    const look = await watchOf(store).look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'held');
    assert.equal(look.meanwhile.hold.reason, 'broken-chain');
  });
});
