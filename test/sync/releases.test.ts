import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { SourceHold } from '../../src/source/source.ts';
import type { SyncNotice } from '../../src/sync/notice.ts';
import { releaseWorldOf as worldOf } from './doubles/release-world.ts';

const MISSING_REF: SourceHold = {
  reason: 'missing-ref',
  detail: 'There is no ref',
  hint: 'Deploy.',
  step: undefined,
  acceptable: false,
};

/** A world that shows one release, and whose source then arms another one, to be shown a minute later. */
async function armedWorld(t: TestContext) {
  const world = await worldOf(t);
  world.releases.deploy({ 'a.py': 'one' });
  await world.start();
  const at = world.clock.now() + 60_000;
  const [next] = world.releases.packs.write({ 'a.py': 'next' });
  world.releases.arm([next!], at);
  return { world, at, next: next! };
}

describe('releases', () => {
  test('are shown without settling, and content that is here under another path is not fetched again', async (t) => {
    const world = await worldOf(t);
    const first = world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const asked = world.releases.packs.asked.length;
    world.releases.put(first.map((file) => ({ ...file, path: `moved/${file.path}` })));
    const looks = world.releases.looks;
    assert.equal((await world.refresh()).kind, 'published');
    assert.equal(world.releases.looks, looks + 1, 'one look is enough');
    assert.deepEqual(world.presenter.files(), ['moved/a.py', 'moved/b.py']);
    assert.equal(world.releases.packs.asked.length, asked);
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('keep the content of a path that is gone where another path has it', async (t) => {
    const world = await worldOf(t, { limitBytes: 10 });
    const [a, b] = world.releases.deploy({ 'a.py': 'same!', 'b.py': 'same!' });
    await world.start();
    world.releases.put([a!]);
    await world.refresh();
    for (const publication of world.presenter.publications.slice(0, 1)) {
      const { generation } = publication;
      world.presenter.release(generation.nodeId(generation.find('b.py')));
    }
    assert.deepEqual(world.cache.inspection.ranks.kept, { entries: 1, bytes: 5 });
    assert.equal(b!.sha256, a!.sha256);
  });

  test('of which a pack is missing, or is another one, are held; the tree stays, and they follow once it is back', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const [changed] = world.releases.deploy({ 'a.py': 'new', 'b.py': 'two' });
    const key = `packs/${changed!.place!.pack}`;
    const bytes = world.releases.packs.objects.get(key)!;
    for (const [damage, reason] of [
      [undefined, 'missing-pack'],
      ['garbage', 'damaged-pack'],
    ] as const) {
      if (damage === undefined) world.releases.packs.objects.delete(key);
      else world.releases.packs.objects.set(key, Buffer.from(damage));
      const outcome = await world.refresh();
      assert.ok(outcome.kind === 'held');
      assert.equal(outcome.held.reason, reason);
      assert.equal(outcome.held.acceptable, false);
      assert.ok(
        outcome.held.detail.includes(key) && outcome.held.detail.includes('.py'),
        outcome.held.detail,
      );
      assert.equal(world.sync.view.release?.step.sequence, 1);
      assert.equal(world.presenter.publications.length, 1);
    }
    world.releases.packs.objects.set(key, bytes);
    assert.equal((await world.refresh()).kind, 'published');
    assert.equal(world.sync.view.held, undefined);
  });

  test('that are not believed are held with the reason, and what is shown can be read', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one' });
    await world.start();
    const step = { sequence: 2, release: 'sha256-x', digest: 'ab'.repeat(32) };
    const hold = {
      reason: 'signature',
      detail: 'Nobody signed it',
      hint: 'Sign it.',
      step,
      acceptable: true,
    };
    world.releases.hold = hold;
    const outcome = await world.refresh();
    assert.ok(outcome.kind === 'held');
    assert.equal(outcome.held.reason, 'signature');
    assert.equal(outcome.held.generation, 'ab'.repeat(16));
    assert.equal(await world.read('a.py'), 'local');
    const accepted = world.sync.accept(outcome.held.generation);
    while (world.releases.accepted === undefined) await world.clock.advance(10);
    assert.equal((await accepted).kind, 'accepted');
    assert.equal(world.releases.accepted, step.digest);
  });

  test('of a standby that is behind are held with what they would show, and followed once accepted', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const listing = { digest: 'cd'.repeat(32), files: 1, removed: 1 };
    const [reason, detail, hint] = ['standby-behind', 'It has not got b.py yet', 'Wait.'];
    world.releases.hold = { reason, detail, hint, step: undefined, listing, acceptable: true };
    const outcome = await world.refresh();
    assert.ok(outcome.kind === 'held');
    const { generation, files, removed } = outcome.held;
    assert.deepEqual([generation, files, removed], ['cd'.repeat(16), 1, 1]);
    assert.equal((await world.sync.accept('ef'.repeat(16))).kind, 'changed');
    assert.equal(world.releases.accepted, undefined);
    const accepted = world.sync.accept(generation);
    while (world.releases.accepted === undefined) await world.clock.advance(10);
    assert.equal((await accepted).kind, 'accepted');
    assert.equal(world.releases.accepted, listing.digest);
  });

  test('whose root is emptied at once stay as they are, named and readable, and after a restart', async (t) => {
    const before = await worldOf(t);
    before.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await before.start();
    before.releases.packs.objects.clear();
    before.releases.hold = MISSING_REF;
    const outcome = await before.refresh();
    assert.ok(outcome.kind === 'held' && outcome.held.reason === 'missing-ref');
    assert.equal(before.sync.view.held?.reason, 'missing-ref');
    assert.equal(before.presenter.publications.length, 1);
    await before.close();
    const { releases, directory } = before;
    const after = await worldOf(t, { releases, directory, restored: before.persister.restored() });
    await after.start();
    for (const world of [before, after]) {
      assert.equal(world.sync.view.release?.step.sequence, 1);
      assert.deepEqual(world.presenter.files(), ['a.py', 'b.py']);
    }
    for (const path of ['a.py', 'b.py']) assert.equal(await after.read(path), 'local');
  });

  test('of which the first is not believed, or is not to be shown yet, end the start by a code of their own', async (t) => {
    const world = await worldOf(t);
    world.releases.hold = MISSING_REF;
    await assert.rejects(world.start(), { code: 'release-held', hint: 'Deploy.' });
    world.releases.hold = undefined;
    await assert.rejects(world.start(), { code: 'release-early' });
  });

  test('of which the newest step cannot be kept are shown, and what a restart would lose is named', async (t) => {
    const world = await worldOf(t);
    world.releases.isStepUnkept = true;
    world.releases.deploy({ 'a.py': 'one' });
    await world.start();
    assert.deepEqual(world.sync.view.persistTroubles, ['state-dir-unwritable']);
    world.releases.isStepUnkept = false;
    await world.refresh();
    assert.deepEqual(world.sync.view.persistTroubles, []);
  });

  test('of which the first lacks content are never ready', async (t) => {
    const world = await worldOf(t);
    world.releases.deploy({ 'a.py': 'one' });
    world.releases.packs.objects.clear();
    await assert.rejects(world.start(), { code: 'missing-pack' });
  });

  test('that take most files away pass the guard where whoever deployed them said so, and then alone', async (t) => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}.py`);
    const world = await worldOf(t);
    const files = world.releases.deploy(Object.fromEntries(names.map((name) => [name, name])));
    await world.start();
    world.releases.put(files.slice(0, 5));
    assert.equal((await world.refresh()).kind, 'held');
    world.releases.put(files.slice(0, 5), { allowsDeletions: true });
    assert.equal((await world.refresh()).kind, 'published');
    world.releases.put(files.slice(0, 6));
    assert.equal((await world.refresh()).kind, 'published', 'what was shown before does not count any more');
  });

  test('that are armed are fetched at once, and shown at their instant', async (t) => {
    const { world, at, next } = await armedWorld(t);
    assert.equal((await world.refresh()).kind, 'current');
    assert.ok(world.releases.packs.asked.some((asked) => asked.includes(next.place!.pack)));
    assert.equal(world.sync.view.release?.armed?.at, at);
    world.releases.packs.objects.clear();
    await world.clock.advance(at - world.clock.now() - 1);
    assert.equal(world.presenter.publications.length, 1);
    const shownAt: number[] = [];
    world.presenter.onPublish = () => void shownAt.push(world.clock.now());
    while (shownAt.length === 0) await world.clock.advance(10);
    assert.ok(shownAt[0]! - at <= 100, `${shownAt[0]! - at} ms late`);
    assert.ok(shownAt[0]! >= at);
    await world.clock.advance(30_000);
    assert.equal(world.presenter.publications.length, 2, 'and stays');
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('that are armed are shown once the store answers, if it fails at their instant, after few looks', async (t) => {
    const { world, at } = await armedWorld(t);
    const { releases, clock, presenter } = world;
    await world.refresh();
    await clock.advance(at - clock.now() - 2_500);
    releases.failing = 1_000;
    await clock.advance(32_500);
    // One look before the instant, one at the instant, and then one every 5.5 s.
    assert.ok(1_000 - releases.failing <= 8, `${1_000 - releases.failing} looks failed`);
    assert.equal(presenter.publications.length, 1);
    releases.failing = 0;
    const back = clock.now();
    while (presenter.publications.length === 1) await clock.advance(10);
    assert.ok(clock.now() - back <= 11_000);
    await clock.advance(2_000);
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('that are armed while the one in force is held are shown at their instant, after few looks', async (t) => {
    const { world, at } = await armedWorld(t);
    const { releases, clock, presenter } = world;
    releases.heldMeanwhile = 1_000;
    await clock.advance(at - clock.now() - 2_500);
    const before = releases.looks;
    while (presenter.publications.length === 1) await clock.advance(10);
    const [looks, late] = [releases.looks - before, clock.now() - at];
    await clock.advance(2_000);
    assert.ok(looks <= 4, `${looks} looks`);
    assert.ok(late >= 0 && late <= 1_000, `${late} ms late`);
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });

  test('are gone on with from what was kept: who deployed them, and where contents are that were evicted', async (t) => {
    const before = await worldOf(t);
    before.releases.deploy({ 'a.py': 'one', 'run.sh': 'two' });
    await before.start();
    before.releases.put(before.releases.packs.write({ 'a.py': 'other', 'run.sh': 'two' }, true));
    assert.equal((await before.refresh()).kind, 'published');
    await before.close();
    const after = await worldOf(t, { releases: before.releases, restored: before.persister.restored() });
    after.releases.hold = MISSING_REF;
    await after.start();
    assert.equal(after.sync.view.release?.step.sequence, 2);
    const { generation } = after.sync.shown!;
    assert.ok(generation.isExecutable(generation.find('run.sh')));
    // This cache was empty, and no manifest was read.
    assert.equal(await after.read('a.py'), 'local');
  });

  test('of the same files in other packs are fetched from there', async (t) => {
    const world = await worldOf(t, { prefetchBytes: 0 });
    world.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await world.start();
    const old = [...world.releases.packs.objects.keys()];
    world.releases.deploy({ 'b.py': 'two', 'a.py': 'one' });
    assert.equal((await world.refresh()).kind, 'published');
    for (const key of old) world.releases.packs.objects.delete(key);
    assert.equal(await world.read('a.py'), 'local');
    const [first, second] = world.presenter.publications;
    assert.equal(first!.generation.id, second!.generation.id);
    assert.deepEqual(
      [...second!.changes!.added, ...second!.changes!.changed, ...second!.changes!.removed],
      [],
    );
  });

  test('with the right contents in packs of others are held; where they are not fetched ahead, a read fails', async (t) => {
    for (const prefetchBytes of [1_000, 0]) {
      const world = await worldOf(t, { prefetchBytes });
      world.releases.deploy({ 'a.py': 'one' });
      await world.start();
      const [right] = world.releases.packs.write({ 'a.py': 'new' });
      const [evil] = world.releases.packs.write({ 'a.py': 'bad' });
      world.releases.put([{ ...right!, place: evil!.place }]);
      const outcome = await world.refresh();
      if (prefetchBytes > 0) {
        assert.ok(outcome.kind === 'held' && outcome.held.reason === 'damaged-pack');
        assert.ok(outcome.held.detail.includes(evil!.place!.pack), outcome.held.detail);
        assert.equal(await world.read('a.py'), 'local');
      } else {
        assert.equal(outcome.kind, 'published');
        assert.equal(await world.read('a.py'), 'error');
      }
    }
  });

  test('that a later step puts in force again, with the same files, are a publication without changes: kept, told and listed', async (t) => {
    const told: SyncNotice[] = [];
    const before = await worldOf(t, { notice: (notice) => told.push(notice) });
    const files = before.releases.deploy({ 'a.py': 'one', 'b.py': 'two' });
    await before.start();
    const asked = before.releases.packs.asked.length;
    before.releases.put(files, { author: 'ann', message: 'promoted' });
    assert.equal((await before.refresh()).kind, 'published');
    assert.equal(before.releases.packs.asked.length, asked, 'nothing is fetched');
    const [first, second] = before.presenter.publications;
    const { added, changed, removed, touched } = second!.changes!;
    assert.deepEqual([...added, ...changed, ...removed, ...touched], []);
    assert.equal(second!.generation.id, first!.generation.id);
    const last = told.findLast((notice) => notice.kind === 'published');
    assert.ok(last?.kind === 'published');
    assert.equal(last.entry.release?.sequence, 2);
    assert.deepEqual(
      before.sync.view.history.map(({ number, release }) => [number, release?.sequence, release?.message]),
      [
        [1, 1, 'a message'],
        [2, 2, 'promoted'],
      ],
    );
    assert.equal((await before.refresh()).kind, 'current', 'the same step is found once');
    await before.close();

    const after = await worldOf(t, { releases: before.releases, restored: before.persister.restored() });
    after.releases.hold = MISSING_REF;
    await after.start();
    assert.equal(after.sync.view.release?.step.sequence, 2);
    assert.equal(after.sync.view.release?.step.author, 'ann');
    assert.equal(after.sync.view.history.at(-1)?.release?.sequence, 2);
    after.releases.hold = undefined;
    assert.equal((await after.refresh()).kind, 'current', 'the step that was kept is no other one');
  });

  test('with the same files as the shown one need not pass the guard again', async (t) => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}.py`);
    const world = await worldOf(t);
    const files = world.releases.deploy(Object.fromEntries(names.map((name) => [name, name])));
    await world.start();
    world.releases.put(files.slice(0, 5));
    const held = await world.refresh();
    assert.ok(held.kind === 'held');
    world.releases.put(files, { message: 'put back' });
    assert.equal((await world.refresh()).kind, 'published');
    assert.equal(world.sync.view.held, undefined);
    assert.equal(world.sync.view.release?.step.message, 'put back');
  });

  test('with the same files that are armed are in force from their instant on', async (t) => {
    const told: SyncNotice[] = [];
    const world = await worldOf(t, { notice: (notice) => told.push(notice) });
    const files = world.releases.deploy({ 'a.py': 'one' });
    await world.start();
    const at = world.clock.now() + 60_000;
    world.releases.arm(files, at);
    await world.refresh();
    await world.refresh();
    assert.equal(told.filter(({ kind }) => kind === 'armed').length, 1);
    await world.clock.advance(at - world.clock.now() - 1);
    assert.equal(world.sync.view.release?.step.sequence, 1);
    while (world.presenter.publications.length === 1) await world.clock.advance(10);
    await world.clock.advance(30_000);
    assert.equal(world.presenter.publications.length, 2);
    assert.equal(world.sync.view.release?.step.sequence, 2);
  });
});
