import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inParts, LONG_AGO, md5, Node } from './two-stores.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a standby source', () => {
  it('is asked once a day while the first is well, and status has what came of it', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    await node.source.idle();
    assert.equal(node.second.requests, 1);
    assert.deepEqual(node.source.view.checked, { at: node.clock.now(), error: undefined });
    await node.pass(23 * HOUR, 10 * MINUTE);
    assert.equal(node.second.requests, 1);
    node.second.isDown = true;
    await node.pass(HOUR + 10 * MINUTE, 10 * MINUTE);
    assert.equal(node.second.requests, 2);
    assert.match(node.source.view.checked?.error ?? '', /expired/);
    assert.equal(node.log.count('warn', 'standby-unusable'), 1);
    assert.equal(node.publications, 1);
  });

  it('is read once the first has failed for half a minute; what is deployed there is shown', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    await node.source.idle();
    node.first.isDown = true;
    const { requests } = node.second;
    assert.equal(await node.pass(20_000), 'failed');
    assert.equal(node.second.requests, requests);
    assert.equal(await node.pass(20_000), 'candidate');
    assert.equal(node.source.view.isActive, true);
    assert.equal(node.publications, 1, 'it has what is shown: nothing changes');
    node.second.put('new.py', 'new', node.clock.now());
    node.second.put('f1.py', 'changed', node.clock.now());
    node.second.delete('f2.py');
    await node.pass(10_000);
    assert.equal(await node.read('new.py'), 'new');
    assert.equal(await node.read('f1.py'), 'changed');
    assert.equal(node.paths().includes('f2.py'), false);
    assert.equal(node.log.count('warn', 'standby-taken'), 1);
  });

  it('is left once the first has answered for a minute, and not for less', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    node.first.isDown = true;
    await node.pass(40_000);
    node.first.isDown = false;
    await node.pass(50_000);
    assert.equal(node.source.view.isActive, true);
    node.first.isDown = true;
    await node.pass(10_000);
    node.first.isDown = false;
    await node.pass(MINUTE);
    assert.equal(node.source.view.isActive, true, 'it failed in between');
    await node.pass(20_000);
    assert.equal(node.source.view.isActive, false);
    const { requests } = node.second;
    node.first.put('f1.py', 'changed', node.clock.now());
    await node.pass(MINUTE);
    assert.equal(await node.read('f1.py'), 'changed');
    assert.equal(node.second.requests, requests);
    assert.equal(node.publications, 2);
  });

  for (const [what, spoil, named] of [
    ['an older version', (node: Node) => node.second.put('f3.py', 'old', LONG_AGO - HOUR), 'f3.py'],
    ['not the newest file', (node: Node) => node.second.delete('f19.py'), 'f19.py'],
    [
      'a file that was deleted before',
      (node: Node) => node.second.put('gone.py', 'gone', LONG_AGO),
      'gone.py',
    ],
  ] as const) {
    it(`that has ${what} is held, and named by the newest such key`, async (t) => {
      const node = await Node.start(t);
      node.second.copyFrom(node.first);
      spoil(node);
      await node.look();
      node.first.isDown = true;
      assert.equal(await node.pass(HOUR, MINUTE), 'held');
      const look = await node.source.look({ signal: new AbortController().signal });
      assert.ok(look.kind === 'held');
      assert.equal(look.hold.reason, 'standby-behind');
      assert.ok(look.hold.detail.includes(` ${named}`), look.hold.detail);
      assert.equal(node.publications, 1);
      assert.equal(node.source.view.isActive, true);
      node.first.isDown = false;
      await node.pass(2 * MINUTE);
      assert.equal(node.source.view.isActive, false);
      assert.equal(node.publications, 1);
    });
  }

  it('that lacks what was deployed last, though a copy that came after it is newer, is held until it has it', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    // Copies arrive in any order: the small file before the large one, with the date of the copy.
    node.first.put('large.py', 'large', node.clock.now());
    node.first.put('small.py', 'small', node.clock.now() + 1_000);
    await node.pass(MINUTE);
    node.second.put('small.py', 'small', node.clock.now() + 30_000);
    node.first.isDown = true;
    assert.equal(await node.pass(5 * MINUTE), 'held');
    assert.ok(node.paths().includes('large.py'));
    node.second.put('large.py', 'large', node.clock.now());
    assert.equal(await node.pass(10_000), 'candidate');
    assert.ok(node.paths().includes('large.py'));
  });

  it('is not left for a first to which only a part of what was deployed has been copied back', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    node.first.isDown = true;
    await node.pass(5 * MINUTE);
    node.second.put('one.py', 'one', node.clock.now());
    node.second.put('two.py', 'two', node.clock.now() + 1_000);
    await node.pass(30 * MINUTE, MINUTE);
    node.first.isDown = false;
    node.first.put('one.py', 'one', node.clock.now());
    await node.pass(3 * MINUTE);
    assert.equal(node.source.view.isActive, true);
    assert.deepEqual([node.paths().includes('one.py'), node.paths().includes('two.py')], [true, true]);
    node.first.put('two.py', 'two', node.clock.now());
    await node.pass(MINUTE);
    assert.equal(node.source.view.isActive, false);
    assert.ok(node.paths().includes('two.py'));
  });

  it('that is an hour behind is held until it has caught up', async (t) => {
    const node = await Node.start(t);
    await node.look();
    node.second.copyFrom(node.first);
    for (let file = 0; file < 5; file++) {
      node.first.put(`f${file}.py`, `deployed ${file}`, node.clock.now() + file * 1000);
    }
    node.first.put('added.py', 'added', node.clock.now() + 9_000);
    await node.pass(MINUTE);
    const shown = node.shown!.generation.id;
    node.first.isDown = true;
    assert.equal(await node.pass(HOUR, MINUTE), 'held');
    assert.equal(node.shown!.generation.id, shown);
    node.second.copyFrom(node.first);
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(node.shown!.generation.id, shown);
    node.second.put('f9.py', 'fixed', node.clock.now());
    await node.pass(10_000);
    assert.equal(await node.read('f9.py'), 'fixed');
  });

  it('that is held is shown once its dates alone say that it is not behind', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    node.second.put('f3.py', 'another', LONG_AGO - HOUR);
    node.second.delete('f19.py');
    await node.look();
    node.first.isDown = true;
    assert.equal(await node.pass(MINUTE), 'held');
    node.second.put('f3.py', 'another', node.clock.now() - HOUR);
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(await node.read('f3.py'), 'another');
    assert.equal(node.paths().includes('f19.py'), false, 'something newer was written there without it');
  });

  it('that is accepted stays so, whatever its dates become before it is shown', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    node.second.delete('f19.py');
    node.second.delete('f18.py');
    await node.look();
    node.first.isDown = true;
    assert.equal(await node.pass(MINUTE), 'held');
    assert.equal(await node.accept(await node.held()), true);
    node.second.put('f0.py', 'file 0', LONG_AGO + MINUTE);
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(node.paths().includes('f19.py'), false);
  });

  it('that is behind for good is shown once it is accepted, and the first with all that it has once it is back', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    node.first.put('f1.py', 'deployed', LONG_AGO + HOUR);
    node.first.put('added.py', 'added', LONG_AGO + HOUR);
    node.first.delete('f7.py');
    await node.pass(MINUTE);
    node.first.isDown = true;
    assert.equal(await node.pass(MINUTE), 'held');
    const hold = await node.held();
    assert.equal(hold.acceptable, true);
    assert.deepEqual({ ...hold.listing, digest: '' }, { digest: '', files: 20, removed: 1 });
    assert.equal(await node.accept({ ...hold, listing: { ...hold.listing!, digest: 'another' } }), false);
    assert.equal(await node.pass(MINUTE), 'held');
    assert.equal(await node.accept(hold), true);
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(await node.read('f1.py'), 'file 1');
    assert.equal(await node.read('f7.py'), 'file 7');
    assert.equal(node.paths().includes('added.py'), false);
    node.second.put('f2.py', 'fixed', node.clock.now());
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(await node.read('f2.py'), 'fixed');

    node.first.put('f2.py', 'fixed', node.clock.now());
    node.first.isDown = false;
    await node.pass(2 * MINUTE);
    assert.deepEqual([node.source.view.isActive, node.source.view.firstIsBehind], [false, undefined]);
    assert.equal(await node.read('f1.py'), 'deployed');
    assert.equal(await node.read('added.py'), 'added');
    assert.equal(await node.read('f2.py'), 'fixed');
    assert.equal(node.paths().includes('f7.py'), false);
  });

  it('that changed since its hold was seen is not shown by accepting it', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    node.first.put('f1.py', 'deployed', LONG_AGO + HOUR);
    await node.look();
    node.first.isDown = true;
    await node.pass(MINUTE);
    const hold = await node.held();
    node.second.delete('f3.py');
    assert.equal(await node.accept(hold), true);
    assert.equal(await node.pass(10_000), 'held');
    assert.equal(node.publications, 1);
  });

  it('changes nothing in ten outages in a row, and is taken and left once in each', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    for (let flip = 0; flip < 10; flip++) {
      node.first.isDown = true;
      await node.pass(2 * MINUTE);
      assert.equal(node.source.view.isActive, true);
      node.first.isDown = false;
      await node.pass(2 * MINUTE);
      assert.equal(node.source.view.isActive, false);
    }
    assert.equal(node.publications, 1);
    assert.deepEqual(
      [node.log.count('warn', 'standby-taken'), node.log.count('info', 'standby-left'), node.opened],
      [10, 10, 1],
    );
  });

  it('is not taken by a first that comes and goes within half a minute', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    await node.look();
    for (let flip = 0; flip < 20; flip++) {
      node.first.isDown = flip % 2 === 0;
      await node.pass(20_000);
    }
    assert.equal(node.log.count('warn', 'standby-taken'), 0);
  });
});

describe('the same bytes under other ETags', () => {
  for (const [what, etags] of [
    ['uploads in parts in both stores', { firstEtag: inParts('a'), secondEtag: inParts('b') }],
    ['an MD5 in the first store alone', { firstEtag: md5, secondEtag: inParts('b') }],
  ] as const) {
    it(`are not shown as changed: ${what}, with the dates of the first`, async (t) => {
      const node = await Node.start(t, etags);
      node.second.copyFrom(node.first);
      await node.look();
      const shown = node.shown!.generation.id;
      node.first.isDown = true;
      await node.pass(MINUTE);
      assert.equal(node.source.view.isActive, true);
      assert.equal(node.shown!.generation.id, shown);
      // The node reads by the standby's own ETag, although the tree shows the file under the first store's ETag.
      node.forget();
      assert.equal(await node.read('f7.py'), 'file 7');
      node.second.put('f7.py', 'changed', node.clock.now());
      await node.pass(10_000);
      assert.equal(node.publications, 2);
      assert.equal(await node.read('f7.py'), 'changed');
      assert.equal(await node.read('f8.py'), 'file 8');
    });
  }

  it('are found by the bytes where the dates differ too, and content is local', async (t) => {
    const node = await Node.start(t, { secondEtag: inParts('b') });
    node.second.copyFrom(node.first, LONG_AGO + 30 * 24 * HOUR);
    await node.look();
    node.first.isDown = true;
    await node.pass(MINUTE);
    assert.equal(node.source.view.isActive, true);
    assert.equal(node.publications, 1);
  });

  for (const [what, files, isUsed] of [
    ['one object is no reason not to use it', 1, true],
    ['every object is of no use', 20, false],
  ] as const) {
    it(`of a standby that refuses ${what}`, async (t) => {
      const node = await Node.start(t, { firstEtag: inParts('a'), secondEtag: inParts('b') });
      node.second.copyFrom(node.first, node.clock.now());
      for (let file = 0; file < files; file++) node.second.denied.add(`dags/f${file}.py`);
      await node.look();
      node.first.isDown = true;
      // What is shown then has content that cannot be read.
      await node.pass(5 * MINUTE).catch(() => undefined);
      assert.equal(node.source.view.isActive, isUsed);
    });
  }

  it('are looked for once in each pair of versions, though dates change with each look', async (t) => {
    const node = await Node.start(t);
    node.second.copyFrom(node.first);
    node.second.put('f1.py', 'other1', LONG_AGO - HOUR);
    await node.look();
    node.first.isDown = true;
    assert.equal(await node.pass(MINUTE), 'held');
    const before = node.second.requests - node.second.listings;
    for (let touched = 0; touched < 3; touched++) {
      node.second.put('f2.py', 'file 2', LONG_AGO + touched * MINUTE);
      assert.equal(await node.pass(10_000), 'held');
    }
    assert.equal(node.second.requests - node.second.listings, before);
    node.second.put('f1.py', 'other2', LONG_AGO - HOUR);
    assert.equal(await node.pass(10_000), 'held');
    assert.equal(node.second.requests - node.second.listings, before + 1);
  });

  it('count as newer where their date is later and nothing is local to compare', async (t) => {
    const node = await Node.start(t, { secondEtag: inParts('b') });
    node.second.copyFrom(node.first, LONG_AGO + 30 * 24 * HOUR);
    node.hasContent = false;
    await node.look();
    node.first.isDown = true;
    await node.pass(MINUTE);
    assert.equal(node.publications, 2);
    assert.equal(await node.read('f1.py'), 'file 1');
  });

  it('stay as they are shown when the first is back', async (t) => {
    const node = await Node.startAway(t, { firstEtag: inParts('a'), secondEtag: inParts('b') });
    node.second.put('new.py', 'new', node.clock.now());
    await node.pass(10_000);
    node.first.copyFrom(node.second);
    node.first.isDown = false;
    await node.pass(3 * MINUTE);
    assert.equal(node.source.view.isActive, false);
    assert.equal(node.publications, 2);
    node.forget();
    assert.equal(await node.read('new.py'), 'new');
    node.first.put('new.py', 'newer', node.clock.now());
    await node.pass(10_000);
    assert.equal(await node.read('new.py'), 'newer');
  });
});
