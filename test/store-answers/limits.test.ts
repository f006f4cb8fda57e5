import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '../support/wait-for.ts';
import { checkOthers, checkWhatIsSaid } from './invariants.ts';
import { changedPath, Lab, newPath, oddPath } from './lab.ts';
import { always, refusal } from './wire.ts';

const fails = always(refusal(500, 'InternalError'));
/** Milliseconds. The trees of 2,500 files start while hundreds of cells of the table run. */
const patience = 180_000;

/** Whether a reader gets the newest bytes of the file. */
async function isNew(lab: Lab, path: string): Promise<boolean> {
  const read = await lab.read(path);
  return read.kind === 'bytes' && read.bytes.equals(lab.wanted(path));
}

async function startReady(lab: Lab): Promise<void> {
  await lab.start();
  await waitFor('the first tree to be ready', () => lab.sync.view.ready, patience);
}

async function isHeld(lab: Lab): Promise<void> {
  await waitFor('the tree to be held', () => lab.sync.view.held !== undefined, patience);
  assert.ok(lab.degraded.includes('held'), lab.degraded.join());
  assert.equal(lab.presenter.publications.length, 1, 'something was published');
  await checkOthers(lab, '', [newPath, ...lab.paths().filter((path) => /extra|airflowignore/.test(path))]);
}

async function isWell(lab: Lab): Promise<void> {
  lab.relent();
  for (const path of lab.paths()) {
    await waitFor(`the newest bytes of ${path}`, () => isNew(lab, path), patience);
  }
  await nothingIsLeft(lab);
}

async function nothingIsLeft(lab: Lab): Promise<void> {
  await waitFor(
    'nothing left to say',
    () => lab.degraded.length === 0 && lab.problems().length === 0,
    patience,
  );
  checkWhatIsSaid(lab);
}

function problemsAt(lab: Lab): readonly string[] {
  return lab
    .problems()
    .filter(({ reason }) => reason === 'unreadable-object')
    .map(({ path }) => path);
}

describe('objects that cannot be had', { concurrency: 8 }, () => {
  it('that are more than one in a hundred are held, and shown without them once accepted', async (test) => {
    const lab = await Lab.open(test);
    await startReady(lab);
    lab.strike({ get: fails, scope: /odd|extra/ }, oddPath);
    const extra = ['team/extra_0.py', 'team/extra_1.py', 'team/extra_2.py'];
    lab.change(oddPath, ...extra);
    await isHeld(lab);
    await lab.sync.accept();
    await waitFor('the tree', () => isNew(lab, changedPath), patience);
    assert.deepEqual([...problemsAt(lab)].sort(), [...extra, oddPath].sort());
    await isWell(lab);
  });

  it('that are more than twenty are held, however large the tree is', async (test) => {
    const lab = await Lab.open(test, 2_500);
    await startReady(lab);
    const extra = Array.from({ length: 21 }, (_, index) => `team/extra_${index}.py`);
    lab.strike({ get: fails, scope: /extra/ }, oddPath);
    lab.change(...extra);
    await isHeld(lab);
    await isWell(lab);
  });

  it('that are twenty of a large tree are named, and all else is shown', async (test) => {
    const lab = await Lab.open(test, 2_500);
    await startReady(lab);
    const extra = Array.from({ length: 20 }, (_, index) => `team/extra_${index}.py`);
    lab.strike({ get: fails, scope: /extra/ }, oddPath);
    lab.change(...extra);
    await waitFor('the tree', () => isNew(lab, changedPath), patience);
    assert.deepEqual([...problemsAt(lab)].sort(), [...extra].sort());
    assert.deepEqual(lab.degraded, ['unreadable-objects']);
    await isWell(lab);
  });

  it('hold the tree where one is an .airflowignore', async (test) => {
    const lab = await Lab.open(test);
    await startReady(lab);
    lab.strike({ get: fails, scope: /airflowignore/ }, oddPath);
    lab.change('team/.airflowignore');
    await isHeld(lab);
    await isWell(lab);
  });

  it('hold nothing up for longer where they are put again and again', async (test) => {
    const lab = await Lab.open(test);
    await startReady(lab);
    lab.strike({ get: fails }, oddPath);
    lab.change(oddPath);
    const rewriting = setInterval(() => lab.rewrite(oddPath), 400);
    try {
      await waitFor('the other change', () => isNew(lab, newPath), patience);
    } finally {
      clearInterval(rewriting);
    }
    await isWell(lab);
  });

  it('are had as soon as somebody reads them, and the store has them again', async (test) => {
    const lab = await Lab.open(test);
    await startReady(lab);
    lab.strike({ get: fails }, oddPath);
    lab.change(oddPath);
    await waitFor('the object to be named', () => problemsAt(lab).length === 1, patience);
    lab.relent();
    await waitFor('the newest bytes', () => isNew(lab, oddPath), patience);
    await nothingIsLeft(lab);
  });
});
