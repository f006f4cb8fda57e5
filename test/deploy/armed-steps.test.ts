import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect } from '../../src/deploy/collect.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { promote, rollback } from '../../src/deploy/move.ts';
import { releaseKeys } from '../../src/release/index.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';
import { file, options, shown, signal, tree, words } from './small-trees.ts';

const HOUR = 3_600_000;
/** At this instant, milliseconds since the epoch, the steps of these tests that wait are shown. */
const INSTANT = 100 * HOUR;
const armed = { words: { ...words, notBefore: INSTANT } };
const replaces = { mayReplaceArmed: true };

/** An environment that shows a=1, and is to show a=2 later. */
async function armedRoot(environment = 'production'): Promise<MemoryReleaseStore> {
  const store = new MemoryReleaseStore();
  await deploy(await tree({ a: '1', b: 'b' }), options(store, { environment }));
  await deploy(await tree({ a: '2', b: 'b' }), options(store, { environment, ...armed }));
  return store;
}

describe('while a step waits for its instant,', () => {
  test('its own files deployed in its place are a step, which is shown at once', async () => {
    const store = await armedRoot();
    const end = await deploy(await tree({ a: '2', b: 'b' }), options(store, replaces));
    assert.ok(end.kind === 'deployed');
    assert.equal(end.step.payload.notBefore, undefined);
    assert.deepEqual(end.step.payload.changes, { added: 0, changed: 1, removed: 0 });
  });

  test('the files in force deployed in its place are a step, which cancels it', async () => {
    const store = await armedRoot();
    const end = await deploy(await tree({ a: '1', b: 'b' }), options(store, replaces));
    assert.ok(end.kind === 'deployed');
    assert.deepEqual(end.step.payload.changes, { added: 0, changed: 0, removed: 0 });
    assert.deepEqual(await shown(store), { a: '1', b: 'b' });
  });

  test('a file deployed in its place is put on top of what is in force, not on top of what is withheld', async () => {
    const store = await armedRoot();
    await deploy(await file('b', 'new'), options(store, replaces));
    assert.deepEqual(await shown(store), { a: '1', b: 'new' });
  });

  test('a step that another one armed meanwhile is not replaced', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store));
    const theirs = await tree({ a: '2' });
    let tries = 0;
    const mine = deploy(
      await file('b', 'mine'),
      options(store, {
        ...replaces,
        check: async () => {
          if (tries++ === 0) await deploy(theirs, options(store, armed));
        },
      }),
    );
    await assert.rejects(mine, { code: 'overtaken' });
    assert.deepEqual(await shown(store), { a: '2' });
  });

  test('checks are told of the step in force, and deploys of a step whose instant comes meanwhile begin anew', async () => {
    const store = await armedRoot();
    const seen: (number | undefined)[] = [];
    let now = INSTANT - 1_000;
    const end = await deploy(
      await file('b', 'new'),
      options(store, {
        ...replaces,
        now: () => now,
        check: async (_, __, { step }) => {
          seen.push(step?.payload.sequence);
          now = INSTANT;
        },
      }),
    );
    assert.ok(end.kind === 'deployed');
    assert.deepEqual(seen, [1, 2]);
    assert.deepEqual(await shown(store), { a: '2', b: 'new' });
  });

  test('it can be withdrawn also if the log lacks the step in force, or has another one', async () => {
    for (const entry of ['lost', 'copy of the next', 'junk'] as const) {
      const store = await armedRoot();
      const key = releaseKeys.logEntry('production', 1);
      const next = store.objects.get(releaseKeys.logEntry('production', 2))!;
      const first = store.objects.get(key)!;
      if (entry === 'lost') store.objects.delete(key);
      else store.objects.set(key, entry === 'junk' ? Buffer.from('{') : next);
      // What nodes show is not known, so nothing is put on top of it or promoted.
      await assert.rejects(deploy(await file('b', 'new'), options(store, replaces)), entry);
      await assert.rejects(promote('production', options(store, { environment: 'other' })), entry);
      await assert.rejects(rollback({ kind: 'previous' }, options(store)), entry);
      await deploy(await tree({ a: '3', b: 'b' }), options(store, replaces));
      assert.deepEqual(await shown(store), { a: '3', b: 'b' });
      store.objects.set(key, first);
      await rollback({ kind: 'sequence', sequence: 1 }, options(store));
      assert.deepEqual(await shown(store), { a: '1', b: 'b' });
    }
  });

  test('a promotion takes the release in force; there is nothing to promote before the first one', async () => {
    const store = await armedRoot('staging');
    await promote('staging', options(store));
    assert.deepEqual(await shown(store), { a: '1', b: 'b' });
    await promote('staging', options(store, { ...replaces, now: () => INSTANT }));
    assert.deepEqual(await shown(store), { a: '2', b: 'b' });
    await deploy(await tree({ a: '1' }), options(store, { environment: 'first', ...armed }));
    await assert.rejects(promote('first', options(store)), { code: 'no-such-release' });
  });

  test('a roll-back returns to the release in force, past steps that were withdrawn before their instant', async () => {
    const store = await armedRoot();
    await deploy(await tree({ a: '3', b: 'b' }), options(store, { ...replaces, ...armed }));
    await rollback({ kind: 'previous' }, options(store));
    assert.deepEqual(await shown(store), { a: '1', b: 'b' });
  });

  test('a collection keeps the release in force, however often the step was replaced', async () => {
    const store = await armedRoot();
    await deploy(
      await tree({ a: '3', b: 'b' }),
      options(store, { ...replaces, ...armed, now: () => 2 * HOUR }),
    );
    const gone = new Set<string>();
    for (const now of [50 * HOUR, 53 * HOUR]) {
      const { deleted } = await collect(true, {
        store,
        keep: 1,
        youngerThanMs: HOUR,
        concurrency: 4,
        now: () => now,
        signal,
      });
      for (const key of deleted) gone.add(key);
    }
    assert.equal(gone.size, 2, 'the manifest and the pack of the step that was withdrawn');
    await rollback({ kind: 'previous' }, options(store, { now: () => 54 * HOUR }));
    assert.deepEqual(await shown(store), { a: '1', b: 'b' });
  });
});

test('a roll-back that began before the instant of a step cancels that step, also if the instant passes meanwhile', async () => {
  const store = new MemoryReleaseStore();
  await deploy(await tree({ a: '1' }), options(store));
  await deploy(await tree({ a: '2' }), options(store));
  // The release in force is to be shown again, as a step of its own.
  await rollback({ kind: 'sequence', sequence: 2 }, options(store, armed));
  let now = INSTANT - 1_000;
  await rollback(
    { kind: 'previous' },
    options(store, {
      now: () => now,
      sign: async () => {
        now = INSTANT;
        return [];
      },
    }),
  );
  assert.deepEqual(await shown(store), { a: '2' });
});

describe('after a step was withdrawn before its instant,', () => {
  test('a roll-back does not show it', async () => {
    const store = await armedRoot();
    await deploy(await tree({ a: 'bad', b: 'b' }), options(store, replaces));
    await rollback({ kind: 'previous' }, options(store));
    assert.deepEqual(await shown(store), { a: '1', b: 'b' });
  });

  test('a roll-back from the first release that was shown has nowhere to go', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store, armed));
    await deploy(await tree({ a: '2' }), options(store, replaces));
    await assert.rejects(rollback({ kind: 'previous' }, options(store)), { code: 'no-such-release' });
    assert.ok(store.objects.has(releaseKeys.logEntry('production', 1)));
  });
});
