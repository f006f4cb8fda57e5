import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Node } from './two-stores.ts';

const MINUTE = 60_000;

/** A node that reads from the standby, to which fix.py was deployed. */
async function deployedAway(t: TestContext): Promise<Node> {
  const node = await Node.startAway(t);
  node.second.put('fix.py', 'fix', node.clock.now());
  await node.pass(10_000);
  return node;
}

/** The same, but f1.py was overwritten by mistake. The first store is back, and lacks only that change. */
async function mistakenAway(t: TestContext): Promise<Node> {
  const node = await deployedAway(t);
  node.second.put('f1.py', 'a mistake', node.clock.now());
  await node.pass(20_000);
  assert.equal(await node.read('f1.py'), 'a mistake');
  node.first.isDown = false;
  node.first.put('fix.py', 'fix', node.clock.now());
  await node.pass(2 * MINUTE);
  assert.match(node.source.view.firstIsBehind ?? '', /f1\.py/);
  return node;
}

describe('a standby source to which was deployed', () => {
  it('stays in use while the first lacks what was deployed to it', async (t) => {
    const node = await deployedAway(t);
    node.first.isDown = false;
    await node.pass(10 * MINUTE);
    assert.equal(node.source.view.isActive, true);
    assert.match(node.source.view.firstIsBehind ?? '', /fix\.py/);
    assert.equal(node.log.count('warn', 'first-behind'), 1);
    assert.equal(await node.read('fix.py'), 'fix');
    node.first.copyFrom(node.second);
    await node.pass(20_000);
    assert.deepEqual([node.source.view.isActive, node.source.view.firstIsBehind], [false, undefined]);
    assert.equal(node.publications, 2);
  });

  it('is left for a first that was right, once what was deployed is deleted in the standby', async (t) => {
    const node = await deployedAway(t);
    node.first.isDown = false;
    await node.pass(2 * MINUTE);
    assert.match(node.source.view.firstIsBehind ?? '', /fix\.py/);
    node.second.delete('fix.py');
    await node.pass(30_000);
    assert.equal(node.source.view.isActive, false);
    assert.equal(node.paths().includes('fix.py'), false);
  });

  it('is left for a first that was right, once a later version is written there', async (t) => {
    const node = await mistakenAway(t);
    node.first.put('f1.py', 'file 1, mended', node.clock.now());
    await node.pass(30_000);
    assert.deepEqual([node.source.view.isActive, node.source.view.firstIsBehind], [false, undefined]);
    assert.equal(await node.read('f1.py'), 'file 1, mended');
  });

  it('is left for a first that was right, once the same bytes are written there with a later date', async (t) => {
    const node = await mistakenAway(t);
    node.first.put('f1.py', 'file 1', node.clock.now());
    await node.pass(10_000);
    assert.deepEqual([node.source.view.isActive, node.source.view.firstIsBehind], [false, undefined]);
    assert.equal(await node.read('f1.py'), 'file 1');
  });

  it('is left for a first that was right by a restart without a standby, after which it may be given again', async (t) => {
    const before = await deployedAway(t);
    before.first.isDown = false;
    await before.pass(2 * MINUTE);
    assert.equal(before.source.view.isActive, true);
    // A server without a standby shows what the first source has.
    const plain = await Node.start(t);
    await plain.look();
    before.shown = plain.shown;
    const node = before.restarted(t);
    await node.pass(30_000);
    assert.deepEqual([node.source.view.isActive, node.source.view.firstIsBehind], [false, undefined]);
    assert.equal(node.followed, undefined);
  });

  it('stays in use over a restart, while the first answers and lacks what was deployed to it', async (t) => {
    const before = await deployedAway(t);
    before.first.isDown = false;

    const node = before.restarted(t);
    await node.pass(5 * MINUTE);
    assert.equal(node.publications, 0, 'the tree stays');
    assert.equal(node.source.view.isActive, true);
    assert.match(node.source.view.firstIsBehind ?? '', /fix\.py/);
    assert.equal(node.log.count('warn', 'first-behind'), 1);
    node.second.put('f1.py', 'changed', node.clock.now());
    await node.pass(10_000);
    assert.equal(await node.read('f1.py'), 'changed');
    node.first.copyFrom(node.second);
    await node.pass(2 * MINUTE);
    assert.equal(node.source.view.isActive, false);

    // From then on the node follows the first source, whatever is deleted there while no server runs.
    node.first.delete('fix.py');
    const after = node.restarted(t);
    await after.pass(10_000);
    assert.equal(after.paths().includes('fix.py'), false);
  });

  it('whose tree is shown is not gone back from where neither answers with it after a restart', async (t) => {
    const before = await deployedAway(t);
    before.first.isDown = false;
    before.second.isDown = true;
    const node = before.restarted(t);
    assert.equal(await node.pass(MINUTE), 'held');
    assert.equal(node.publications, 0);
    const hold = await node.held();
    assert.match(hold.detail, /first.* fix\.py/);
    assert.match(node.source.view.firstIsBehind ?? '', /fix\.py/);
    assert.equal(await node.accept(hold), true);
    assert.equal(await node.pass(10_000), 'candidate');
    assert.equal(node.paths().includes('fix.py'), false);
    assert.equal(node.source.view.firstIsBehind, undefined);
  });
});
