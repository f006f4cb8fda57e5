import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeManifest, releaseId, releaseKeys } from '../../../src/release/index.ts';
import { VolatileStepMemory } from '../../../src/source/release/step-memory.ts';
import { HOUR, reasonOf, released, signal, watchOf } from './looks.ts';
import { digestOf, ENVIRONMENT, fileOf, WrittenRoot, type WrittenStep } from './written-root.ts';

const ref = releaseKeys.ref(ENVIRONMENT);

/** Five steps, an hour apart. */
function history(store: WrittenRoot): readonly WrittenStep[] {
  const steps: WrittenStep[] = [];
  for (let at = 0; at < 5; at++) {
    steps.push(store.deploy([`dags/${at}.py`], steps.at(-1)));
    store.now += HOUR;
  }
  return steps;
}

describe('a ref', () => {
  test('is a release with its files, and then unchanged, by one conditional request a look', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['dags/a.py', 'dags/b.py'], undefined);
    const watch = watchOf(store);
    const look = await watch.look(signal);
    assert.equal(released(look), step.digest);
    assert.deepEqual(look.kind === 'release' && look.release.manifest.files.map(({ path }) => path), [
      'dags/a.py',
      'dags/b.py',
    ]);
    store.reads.length = 0;
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
    assert.deepEqual(store.reads, [ref]);
  });

  test('is followed from step to step, also where some were missed', async () => {
    const store = new WrittenRoot();
    const memory = new VolatileStepMemory();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store, { memory });
    assert.equal(released(await watch.look(signal)), first.digest);
    const second = store.deploy(['b.py'], first);
    assert.equal(released(await watch.look(signal)), second.digest);
    const fourth = store.deploy(['d.py'], store.deploy(['c.py'], second));
    assert.equal(released(await watch.look(signal)), fourth.digest);
    assert.equal(memory.newest?.sequence, 4);
  });

  test('is given again after forget()', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    watch.forget();
    assert.equal(released(await watch.look(signal)), step.digest);
  });

  test('that is put back is held by a node that has seen a later one, until the later one is back', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    const watch = watchOf(store);
    await watch.look(signal);
    store.putRef(steps[1]!);
    assert.equal(reasonOf(await watch.look(signal)), 'rolled-back');
    store.putRef(steps[4]!);
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
  });

  test('that is put back is held by a node that has never started before, by the log', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    store.putRef(steps[1]!);
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'rolled-back');
    // This also holds if an attacker made the next entry of the log unreadable to hide it.
    store.objects.set(releaseKeys.logEntry(ENVIRONMENT, 3), Buffer.from('nonsense'));
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'rolled-back');
    store.objects.set(releaseKeys.logEntry(ENVIRONMENT, 3), Buffer.alloc(1_000_000));
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'rolled-back');
  });

  test('that goes back to what was shown before needs no manifest from the store', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    released(await watch.look(signal));
    const second = store.deploy(['b.py'], first);
    released(await watch.look(signal));
    const asked: string[] = [];
    store.before = (key) => void asked.push(key);
    const third = store.deploy(['a.py'], second);
    assert.equal(released(await watch.look(signal)), third.digest);
    assert.deepEqual(
      asked.filter((key) => key.startsWith('manifests/')),
      [],
    );
  });

  test('that moves while the log is read is read again', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    let second: WrittenStep | undefined;
    store.before = (key) => {
      if (key === releaseKeys.logEntry(ENVIRONMENT, 2)) second ??= store.deploy(['b.py'], first);
    };
    const digest = released(await watchOf(store).look(signal));
    assert.equal(digest, second?.digest);
  });

  test('with another payload under the same number is held', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    const watch = watchOf(store);
    await watch.look(signal);
    store.deploy(['other.py'], steps[3]);
    assert.equal(reasonOf(await watch.look(signal)), 'rolled-back');
  });

  test('that follows another step than the one seen is held, directly and with steps between', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    const memory = new VolatileStepMemory();
    const watch = watchOf(store, { memory });
    await watch.look(signal);
    const other = store.deploy(['other.py'], steps[3]);
    const next = store.deploy(['next.py'], other);
    assert.equal(reasonOf(await watch.look(signal)), 'broken-chain');
    store.deploy(['later.py'], next);
    assert.equal(reasonOf(await watch.look(signal)), 'broken-chain');
  });

  test('that was put back or forked is followed once an operator accepts it, also over a restart', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    const memory = new VolatileStepMemory();
    const watch = watchOf(store, { memory });
    await watch.look(signal);
    store.putRef(steps[1]!);
    const look = await watch.look(signal);
    assert.ok(look.kind === 'held' && look.hold.acceptable);
    assert.equal(await watch.accept(steps[2]!.digest), false);
    assert.equal(await watch.accept(steps[1]!.digest), true);
    assert.equal(released(await watch.look(signal)), steps[1]!.digest);
    assert.equal(released(await watchOf(store, { memory }).look(signal)), steps[1]!.digest);
    assert.equal(await watch.accept(steps[1]!.digest), false);
  });

  test('with a lower number than --min-seq is held, and cannot be accepted', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined);
    const watch = watchOf(store, { minSequence: 2 });
    const look = await watch.look(signal);
    assert.equal(reasonOf(look), 'below-min-seq');
    assert.equal(await watch.accept(step.digest), false);
    const second = store.deploy(['b.py'], step);
    assert.equal(released(await watch.look(signal)), second.digest);
  });

  test('of another environment or root is held', async () => {
    const store = new WrittenRoot();
    const own = store.deploy(['a.py'], undefined);
    store.putRef(store.deploy(['b.py'], undefined, { environment: 'staging' }));
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'other-environment');
    store.putRef(store.deploy(['b.py'], undefined, { root: 's3://staging/airflow' }));
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'other-root');
    store.putRef(own);
    assert.equal(released(await watchOf(store).look(signal)), own.digest);
  });

  test('that is deleted, or nonsense, or too long, is held, and followed once it is back', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store);
    await watch.look(signal);
    for (const [bytes, reason] of [
      [undefined, 'missing-ref'],
      [Buffer.alloc(0), 'damaged-ref'],
      [Buffer.from('{}'), 'damaged-ref'],
      [Buffer.alloc(700_000, 'x'), 'damaged-ref'],
    ] as const) {
      if (bytes === undefined) store.objects.delete(ref);
      else store.objects.set(ref, bytes);
      assert.equal(reasonOf(await watch.look(signal)), reason);
      // Each further look says the same, whether or not the conditional request is answered by "not modified".
      assert.equal(reasonOf(await watch.look(signal)), reason);
    }
    store.putRef(first);
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
  });

  test('whose root is emptied at once is held as missing, also after a restart, and what is deployed there anew as rolled back', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    const memory = new VolatileStepMemory();
    const watch = watchOf(store, { memory });
    await watch.look(signal);
    store.objects.clear();
    const restarted = watchOf(store, { memory });
    for (const each of [watch, watch, restarted]) {
      const look = await each.look(signal);
      assert.equal(reasonOf(look), 'missing-ref');
      assert.ok(look.kind === 'held' && look.hold.key === ref && !look.hold.acceptable);
      assert.ok(look.hold.detail.includes(ref), look.hold.detail);
    }
    assert.equal(memory.newest?.digest, steps[4]!.digest);
    const anew = store.deploy(['anew.py'], undefined);
    for (const each of [watch, restarted]) {
      const look = await each.look(signal);
      assert.equal(reasonOf(look), 'rolled-back');
      assert.match(look.kind === 'held' ? look.hold.detail : '', /is step 1, .* has seen step 5/);
    }
    assert.equal(await watch.accept(anew.digest), true);
    assert.equal(released(await watch.look(signal)), anew.digest);
  });

  test('made over five minutes ahead of the store is held until its time comes', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined, { created: store.now + 6 * 60_000 });
    // This host's clock is a day ahead, but the store's clock decides.
    const watch = watchOf(store, { clock: { now: () => store.now + 24 * HOUR } });
    assert.equal(reasonOf(await watch.look(signal)), 'created-ahead');
    store.now += 2 * 60_000;
    assert.equal(released(await watch.look(signal)), step.digest);
  });

  for (const [direction, off] of [
    ['ahead', 24 * HOUR],
    ['back', -24 * HOUR],
  ] as const) {
    test(`is judged, armed and due by the store's clock where this host's is a day ${direction}`, async () => {
      const store = new WrittenRoot();
      const watch = watchOf(store, { clock: { now: () => store.now + off } });
      const first = store.deploy(['a.py'], undefined, { created: store.now + 4 * 60_000 });
      assert.equal(released(await watch.look(signal)), first.digest);
      const second = store.deploy(['b.py'], first, { created: store.now + 6 * 60_000 });
      assert.equal(reasonOf(await watch.look(signal)), 'created-ahead');
      store.now += 2 * 60_000;
      assert.equal(released(await watch.look(signal)), second.digest);
      store.now += HOUR;
      const instant = store.now + HOUR;
      const third = store.deploy(['c.py'], second, { notBefore: instant });
      const armed = await watch.look(signal);
      assert.ok(armed.kind === 'armed' && armed.instant === instant);
      // The Date of an answer is precise to the second.
      store.now = instant - 2_000;
      assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
      store.now = instant + 2_000;
      const due = await watch.look(signal);
      assert.ok(due.kind === 'due' && due.step.digest === third.digest);
    });
  }

  test('dated a day ahead by a deployer is held until five minutes before that; a day back, until a later step', async () => {
    const store = new WrittenRoot();
    const watch = watchOf(store);
    const first = store.deploy(['a.py'], undefined);
    assert.equal(released(await watch.look(signal)), first.digest);
    const back = store.deploy(['b.py'], first, { created: store.now - 24 * HOUR });
    assert.equal(reasonOf(await watch.look(signal)), 'created-back');
    const later = store.deploy(['c.py'], back);
    assert.equal(released(await watch.look(signal)), later.digest);
    const ahead = store.deploy(['d.py'], later, { created: store.now + 24 * HOUR });
    assert.equal(reasonOf(await watch.look(signal)), 'created-ahead');
    store.now += 24 * HOUR - 5 * 60_000 - 1_000;
    assert.equal(reasonOf(await watch.look(signal)), 'created-ahead');
    store.now += 1_000;
    assert.equal(released(await watch.look(signal)), ahead.digest);
  });

  test('made before the step that it follows is held', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const memory = new VolatileStepMemory();
    const watch = watchOf(store, { memory });
    await watch.look(signal);
    const step = store.deploy(['b.py'], first, { created: store.now - 1 });
    assert.equal(reasonOf(await watch.look(signal)), 'created-back');
    // A later step does not change that.
    store.deploy(['c.py'], step, { created: store.now - 1 });
    assert.equal(reasonOf(await watch.look(signal)), 'created-back');
  });

  test('whose log lacks the next step is followed, whatever else the log lacks', async () => {
    const store = new WrittenRoot();
    const steps = history(store);
    for (const key of [...store.objects.keys()]) if (key.startsWith('log/')) store.objects.delete(key);
    assert.equal(released(await watchOf(store).look(signal)), steps[4]!.digest);
  });
});

describe('a manifest', () => {
  test('that is missing is held, and found once it is there', async () => {
    const store = new WrittenRoot();
    const memory = new VolatileStepMemory();
    const first = store.deploy(['a.py'], undefined);
    const watch = watchOf(store, { memory });
    await watch.look(signal);
    const step = store.deploy(['b.py'], first);
    const key = releaseKeys.manifest(step.payload.release, step.payload.manifest.sha256);
    const bytes = store.objects.get(key)!;
    store.objects.delete(key);
    const look = await watch.look(signal);
    assert.equal(reasonOf(look), 'missing-manifest');
    assert.equal(look.kind === 'held' && look.hold.key, key);
    // The node has seen this step nevertheless, so it does not follow the step before instead.
    store.putRef(first);
    assert.equal(reasonOf(await watch.look(signal)), 'rolled-back');
    assert.equal(reasonOf(await watchOf(store, { memory }).look(signal)), 'rolled-back');
    store.putRef(step);
    store.objects.set(key, bytes);
    assert.equal(released(await watch.look(signal)), step.digest);
  });

  test('that is not what the step names, bit by bit, is held', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined);
    const key = releaseKeys.manifest(step.payload.release, step.payload.manifest.sha256);
    const bytes = store.objects.get(key)!;
    const flipped = Buffer.from(bytes);
    flipped[10]! ^= 1;
    for (const wrong of [flipped, bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
      store.objects.set(key, wrong);
      assert.equal(reasonOf(await watchOf(store).look(signal)), 'damaged-manifest');
    }
    // A manifest with the right digest, planted under the id of another release.
    const other = store.deploy(['b.py'], undefined, { release: step.payload.release });
    assert.equal(other.payload.release, step.payload.release);
    assert.equal(reasonOf(await watchOf(store).look(signal)), 'damaged-manifest');
  });

  test('of the right id with other packs is held in the place of the one that the step names, and not looked at beside it', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined);
    const files = [{ ...fileOf('a.py'), place: { pack: digestOf('evil'), offset: 0 } }];
    assert.equal(releaseId(files), step.payload.release, 'the id does not cover where the bytes are');
    const planted = encodeManifest(files);
    const own = releaseKeys.manifest(step.payload.release, digestOf(planted));
    const named = releaseKeys.manifest(step.payload.release, step.payload.manifest.sha256);
    store.objects.set(own, planted);
    const look = await watchOf(store).look(signal);
    assert.deepEqual(look.kind === 'release' && look.release.manifest.files, [fileOf('a.py')]);
    assert.ok(!store.reads.includes(own));
    store.objects.set(named, planted);
    const held = await watchOf(store).look(signal);
    assert.equal(reasonOf(held), 'damaged-manifest');
    assert.ok(held.kind === 'held' && held.hold.key === named);
    assert.ok(held.hold.detail.includes(digestOf(planted)), held.hold.detail);
  });
});
