import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readStanding, readStep } from '../../src/deploy/current-step.ts';
import { type DeployEnd, type Deployed, deploy } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { promote, type RollbackTarget, rollback } from '../../src/deploy/move.ts';
import { releaseKeys } from '../../src/release/index.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';
import { file, options, shown, signal, tree, words } from './small-trees.ts';

const changesOf = (end: DeployEnd): unknown => end.kind === 'deployed' && end.step.payload.changes;

describe('deploying', () => {
  test('a directory shows it as a whole, and what is not in it goes', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ 'a.py': 'a', 'lib/b.py': 'b', empty: '' }), options(store));
    assert.deepEqual(await shown(store), { 'a.py': 'a', 'lib/b.py': 'b', empty: '' });
    const end = await deploy(await tree({ 'a.py': 'a2', 'lib/b.py': 'b', 'c.py': 'c' }), options(store));
    assert.deepEqual(await shown(store), { 'a.py': 'a2', 'lib/b.py': 'b', 'c.py': 'c' });
    assert.deepEqual(changesOf(end), { added: 1, changed: 1, removed: 1 });
  });

  test('a file puts it on top of the tree that is there, and writes no content but its own', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ 'a.py': 'most of it', 'b.py': 'b', 'c.py': 'c' }), options(store));
    store.calls.length = 0;
    const end = await deploy(await file('b.py', 'new', ['c.py']), options(store));
    assert.ok(store.calls.length <= 10, store.calls.join('\n'));
    assert.deepEqual(await shown(store), { 'a.py': 'most of it', 'b.py': 'new' });
    assert.equal(end.kind === 'deployed' && end.uploaded.bytes, 3);
  });

  test('what is there already is no step', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ 'a.py': 'a' }), options(store));
    assert.equal((await deploy(await tree({ 'a.py': 'a' }), options(store))).kind, 'unchanged');
    assert.equal((await readStanding(store, 'production', signal)).step?.payload.sequence, 1);
  });

  test('is refused before anything is written where more than half would go, unless that is allowed', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1', b: '2', c: '3' }), options(store));
    const before = new Map(store.objects);
    const less = await tree({ a: '1', d: '4' });
    await assert.rejects(deploy(less, options(store)), { code: 'check-failed', message: /2 of 3 files/ });
    assert.deepEqual(store.objects, before);
    const end = await deploy(less, options(store, { allowDeletions: true }));
    assert.equal(end.kind === 'deployed' && end.step.payload.allowDeletions, true);
  });

  test('is refused before anything is written where a check fails', async () => {
    const store = new MemoryReleaseStore();
    const check = async (): Promise<never> => Promise.reject(new Error('does not parse'));
    await assert.rejects(deploy(await tree({ a: '1' }), options(store, { check })), /does not parse/);
    assert.equal(store.objects.size, 0);
  });

  test('a file where there is a folder, and removing what is not there, are refused by their paths', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ 'a/b': '1', c: '2' }), options(store));
    await assert.rejects(deploy(await file('a', 'x'), options(store)), {
      code: 'unusable-source',
      message: 'cannot deploy a: the tree has a directory of that name, with a/b',
    });
    await assert.rejects(deploy(await file('c/d', 'x'), options(store)), {
      code: 'unusable-source',
      message: /^cannot deploy c\/d: c is a file of the tree/,
    });
    await assert.rejects(deploy(await file('x', 'x', ['y']), options(store)), {
      code: 'unusable-source',
      message: 'cannot remove y: the tree has no such path',
    });
  });

  test('the removal of a directory takes out all that is below it, and of a path on this host names the one in the tree', async () => {
    const store = new MemoryReleaseStore();
    await deploy(
      await tree({ 'lib/a': '1', 'lib/sub/b': '2', library: '3', d: '4', e: '5' }),
      options(store),
    );
    const removing = (...removed: readonly string[]): Deployed => ({ kind: 'files', files: [], removed });
    for (const [typed, hint] of [
      ['dags/lib', /did you mean lib\?/],
      ['/home/zoe/dags/lib/a', /did you mean lib\/a\?/],
      ['./d', /did you mean d\?/],
      ['lib/su', /release show/],
      ['', /release show/],
      ['/', /release show/],
    ] as const) {
      await assert.rejects(deploy(removing('d', typed), options(store)), {
        code: 'unusable-source',
        message: `cannot remove ${typed}: the tree has no such path`,
        hint,
      });
    }
    await deploy(removing('lib/sub/', 'lib'), options(store));
    assert.deepEqual(await shown(store), { library: '3', d: '4', e: '5' });
  });

  test('the removal of a directory in which another one put a file is refused, naming who and what', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ 'lib/a': '1', b: '2', c: '3' }), options(store));
    const removal: Deployed = { kind: 'files', files: [], removed: ['lib'] };
    await assert.rejects(overtakenBy(await file('lib/new', 'theirs'), removal, store), {
      code: 'overtaken',
      message: 'meanwhile, step 2 was taken by yves (theirs), with changes of lib/new',
    });
    assert.deepEqual(await shown(store), { 'lib/a': '1', 'lib/new': 'theirs', b: '2', c: '3' });
  });

  /** Has another author deploy just before the ref is moved. */
  async function overtakenBy(
    theirs: Deployed,
    ours: Deployed,
    store: MemoryReleaseStore,
  ): Promise<DeployEnd> {
    let met = false;
    const check = async (): Promise<void> => {
      if (met) return;
      met = true;
      await deploy(theirs, options(store, { words: { ...words, author: 'yves', message: 'theirs' } }));
    };
    return deploy(ours, options(store, { check }));
  }

  test('a file while another one is deployed shows both', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1', b: '2' }), options(store));
    const end = await overtakenBy(await file('b', 'theirs'), await file('a', 'ours'), store);
    assert.equal(end.kind === 'deployed' && end.step.payload.sequence, 3);
    assert.deepEqual(await shown(store), { a: 'ours', b: 'theirs' });
  });

  test('a file that another one is deployed in the place of is refused, naming who and what', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1', b: '2' }), options(store));
    const ours = overtakenBy(await file('a', 'theirs'), await file('a', 'ours'), store);
    await assert.rejects(ours, {
      code: 'overtaken',
      message: /step 2 was taken by yves \(theirs\), with changes of a$/,
    });
    assert.deepEqual(await shown(store), { a: 'theirs', b: '2' });
  });

  test('a directory while something is deployed is refused, naming who and what', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1', b: '2' }), options(store));
    const ours = overtakenBy(await file('a', 'theirs'), await tree({ a: '1', b: 'ours' }), store);
    await assert.rejects(ours, { code: 'overtaken', message: /yves/ });
    assert.deepEqual(await shown(store), { a: 'theirs', b: '2' });
  });

  test('on a step that waits for its time is refused, unless it may take its place; a roll-back takes it back', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store));
    await deploy(await tree({ a: '2' }), options(store, { words: { ...words, notBefore: 9_000 } }));
    await assert.rejects(deploy(await tree({ a: '3' }), options(store)), { code: 'armed' });
    await assert.rejects(promote('production', options(store)), { code: 'armed' });
    await rollback({ kind: 'previous' }, options(store));
    assert.deepEqual(await shown(store), { a: '1' });
    await deploy(await tree({ a: '2' }), options(store, { words: { ...words, notBefore: 9_000 } }));
    await deploy(await tree({ a: '3' }), options(store, { mayReplaceArmed: true }));
    await deploy(await tree({ a: '4' }), options(store, { now: () => 10_000 }));
    assert.deepEqual(await shown(store), { a: '4' });
  });
});

describe('a tree whose packs or manifest the store has lost, or has damaged,', () => {
  const contents = { a: '1', b: '2', c: '3' };
  const damages: readonly (readonly [string, (store: MemoryReleaseStore, key: string) => void])[] = [
    ['lost', (store, key) => store.objects.delete(key)],
    ['damaged', (store, key) => store.objects.set(key, Buffer.from('x'))],
  ];
  for (const [what, damage] of damages) {
    for (const [object, pattern] of [
      ['packs', /^packs\//],
      ['manifest', /^manifests\/.*\/[0-9a-f]{64}\.json$/],
    ] as const) {
      test(`is whole again once all of it is uploaded: ${object} ${what}`, async () => {
        const store = new MemoryReleaseStore();
        await deploy(await tree(contents), options(store));
        for (const key of [...store.objects.keys()]) if (pattern.test(key)) damage(store, key);
        const end = await deploy(await tree(contents), options(store, { uploadAll: true }));
        assert.ok(end.kind === 'deployed' && end.step.payload.sequence === 2);
        assert.deepEqual(await shown(store), contents);
        const { release, manifest } = end.step.payload;
        const witness = readStep(store.objects.get(releaseKeys.witness(release, 'production'))!);
        assert.deepEqual(witness.payload.manifest, manifest, 'mounts find it as a version');
        const again = await deploy(await tree({ ...contents, d: '4' }), options(store));
        assert.ok(again.kind === 'deployed');
        assert.deepEqual(await shown(store), { ...contents, d: '4' });
      });
    }
  }
});

describe('promoting and rolling back', () => {
  test('show the same release without writing content', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store, { environment: 'staging' }));
    store.calls.length = 0;
    await promote('staging', options(store));
    assert.deepEqual(await shown(store), { a: '1' });
    assert.deepEqual(
      store.calls.filter((call) => /create (packs|manifests\/[^/]*\/[0-9a-f]{64}\.json$)/.test(call)),
      [],
    );
  });

  test('go back by a new step, to the one before, to a number, or to a release', async () => {
    const store = new MemoryReleaseStore();
    for (const text of ['1', '2', '3']) await deploy(await tree({ a: text }), options(store));
    const first = (
      await readHistory({
        store,
        environment: 'production',
        most: 10,
        signers: undefined,
        concurrency: 4,
        signal,
      })
    ).at(-1);
    for (const [target, text] of [
      [{ kind: 'previous' }, '2'],
      [{ kind: 'sequence', sequence: 3 }, '3'],
      [{ kind: 'release', id: first!.step!.payload.release }, '1'],
    ] as const satisfies readonly (readonly [RollbackTarget, string])[]) {
      await rollback(target, options(store));
      assert.deepEqual(await shown(store), { a: text });
    }
    assert.equal((await readStanding(store, 'production', signal)).step?.payload.sequence, 6);
  });

  test('back go to what was shown before, also where the same release was promoted twice, and keep its commit', async () => {
    const store = new MemoryReleaseStore();
    const commit = 'c'.repeat(40);
    for (const text of ['1', '2'])
      await deploy(
        await tree({ a: text }),
        options(store, { environment: 'staging', words: { ...words, commit } }),
      );
    await rollback({ kind: 'sequence', sequence: 1 }, options(store, { environment: 'staging' }));
    await promote('staging', options(store));
    await rollback({ kind: 'sequence', sequence: 2 }, options(store, { environment: 'staging' }));
    for (const _ of [1, 2]) await promote('staging', options(store));
    assert.deepEqual(await shown(store), { a: '2' });
    const { step } = await rollback({ kind: 'previous' }, options(store));
    assert.deepEqual(await shown(store), { a: '1' });
    assert.equal(step.payload.commit, commit);
  });

  test('that take more than half of the files away are refused as a deploy is, unless that is allowed', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store));
    await deploy(await tree({ a: '1', b: '2', c: '3' }), options(store));
    await deploy(await tree({ a: '1' }), options(store, { environment: 'staging' }));
    const refusal = { code: 'check-failed', message: /^2 of 3 files would go, b, c among them/ };
    await assert.rejects(rollback({ kind: 'previous' }, options(store)), refusal);
    await assert.rejects(promote('staging', options(store)), refusal);
    assert.deepEqual(await shown(store), { a: '1', b: '2', c: '3' });
    const { step } = await rollback({ kind: 'previous' }, options(store, { allowDeletions: true }));
    assert.equal(step.payload.allowDeletions, true);
    assert.deepEqual(await shown(store), { a: '1' });
  });

  test('to what never was, or from nothing, are refused', async () => {
    const store = new MemoryReleaseStore();
    await assert.rejects(rollback({ kind: 'previous' }, options(store)), { code: 'no-such-release' });
    await assert.rejects(promote('staging', options(store)), { code: 'no-such-release' });
    await deploy(await tree({ a: '1' }), options(store));
    for (const target of [
      { kind: 'previous' },
      { kind: 'sequence', sequence: 7 },
      { kind: 'release', id: `sha256-${'0'.repeat(64)}` },
    ] as const) {
      await assert.rejects(rollback(target, options(store)), { code: 'no-such-release' });
    }
  });

  test('of a release whose manifest was altered, or is gone, is refused', async () => {
    const store = new MemoryReleaseStore();
    await deploy(await tree({ a: '1' }), options(store));
    await deploy(await tree({ a: '2' }), options(store));
    const { payload } = (await readStanding(store, 'production', signal)).step!;
    const previous = store.objects.get(releaseKeys.logEntry('production', 1))!;
    assert.ok(previous);
    const key = [...store.objects.keys()].find(
      (name) => /^manifests\/.*\/[0-9a-f]{64}\.json$/.test(name) && !name.includes(payload.release),
    )!;
    const bytes = Buffer.from(store.objects.get(key)!);
    store.objects.set(key, Buffer.from(bytes.toString().replace('"path":"a"', '"path":"b"')));
    await assert.rejects(rollback({ kind: 'previous' }, options(store)), { code: 'mismatch' });
    store.objects.delete(key);
    await assert.rejects(rollback({ kind: 'previous' }, options(store)), { code: 'no-such-release' });
  });
});
