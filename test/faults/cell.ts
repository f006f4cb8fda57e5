import assert from 'node:assert/strict';
import { type Mount, statusOf } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import type { ProxiedRequest } from '../support/proxy.ts';
import type { Cleanup } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { placeOf } from './faults.ts';
import { Lab, publications, watchedPath } from './lab.ts';
import type { Cell } from './matrix.ts';

const liveness = 90_000;

/** Tries one fault in one stage. Checks what readers see and the log says meanwhile, and that all works afterwards. */
export async function tryCell(test: Cleanup, cell: Cell): Promise<void> {
  const lab = await Lab.open(test);
  if (cell.stage === 'start') await tryStart(lab, cell);
  else if (cell.stage === 'read') await tryRead(lab, cell);
  else await tryPublication(lab, cell);
}

const isList = ({ kind }: ProxiedRequest): boolean => kind === 'LIST';
const isGet = ({ kind }: ProxiedRequest): boolean => kind === 'GET';

const isWatch = (request: ProxiedRequest): boolean =>
  isGet(request) && request.url.includes(watchedPath) && request.header('if-none-match') !== undefined;

async function tryStart(lab: Lab, { fault, seen }: Cell): Promise<void> {
  lab.begin(fault, isList);
  let mount = await lab.launch();
  if (typeof seen === 'object' && 'exit' in seen) {
    const { code } = await mount.exit;
    assert.equal(code, seen.exit, mount.stderr());
    assert.deepEqual(mountsAt(mount.target), []);
    await lab.end();
    mount = await lab.launch();
  } else {
    await waitFor('the fault to strike', () => lab.struck > 0, liveness);
    if (seen === 'waits') {
      assert.deepEqual(mountsAt(mount.target, mount.pid), [], 'a tree is shown that no listing has given');
      await lab.end();
    }
  }
  await mount.logged('ready', liveness);
  lab.storm(mount);
  await lab.sees(mount);
  assert.equal(await lab.readCold(mount), 'right');
  await lab.calm();
}

async function tryPublication(lab: Lab, { fault, stage, seen }: Cell): Promise<void> {
  lab.record();
  const mount = await lab.launch(stage === 'watch' ? ['--watch-key', watchedPath] : []);
  await mount.logged('ready', liveness);
  assert.ok(lab.recorded > 1, 'a listing has more than one page');
  lab.storm(mount);
  // Recording ends here: the recorded answers are the past.
  await lab.end();
  lab.change();
  await lab.sees(mount);
  // Two publications: the first tree and this change. Readers see a publication before the daemon reports it.
  const before = 2;
  await waitFor('its report', () => publications(mount) === before, liveness);
  const lines = mount.log().length;
  lab.changeAtNext(stage === 'watch' ? isWatch : (request) => isList(request) && placeOf(request) === '');
  lab.begin(fault, strikesIn(stage, fault === 'lists what it had before'));
  await waitFor('the fault to strike', () => lab.struck > 0, liveness);
  const waitedFor = typeof seen === 'object' && 'waitsFor' in seen ? seen.waitsFor : undefined;
  if (seen === 'nothing') {
    await lab.sees(mount);
    await lab.end();
  } else {
    const said = (): boolean =>
      mount
        .log()
        .slice(lines)
        .some(seen === 'held' ? isHeld : waitedFor === undefined ? names(seen) : waitsFor(waitedFor));
    await waitFor(`${JSON.stringify(seen)} in the log`, said, liveness);
    assert.equal(publications(mount), before, 'something was published');
    const { degraded, waiting } = await statusOf(mount);
    if (waitedFor === undefined) assert.deepEqual(degraded, [seen === 'held' ? 'held' : degradedBy(seen)]);
    else {
      assert.deepEqual(degraded, []);
      assert.ok(waiting?.objects[0]?.detail.startsWith(`${waitedFor}: `));
    }
    await lab.end();
    await lab.sees(mount);
    const over = seen === 'held' ? 'no-longer-held' : 'source-recovered';
    const isOver = ({ event }: Line): boolean =>
      event === (waitedFor === undefined ? over : 'waited-for-objects');
    await waitFor(
      `the end of ${JSON.stringify(seen)}`,
      () => mount.log().slice(lines).some(isOver),
      liveness,
    );
  }
  await waitFor('the report of the last publication', () => publications(mount) > before, liveness);
  const { degraded, source, held } = await statusOf(mount);
  assert.deepEqual([degraded, source.lastError, held], [[], null, null]);
  assert.equal(publications(mount), before + 1, 'one change is one publication');
  await lab.calm();
}

async function tryRead(lab: Lab, { fault, seen }: Cell): Promise<void> {
  const mount = await lab.launch();
  await mount.logged('ready', liveness);
  lab.storm(mount);
  lab.begin(fault, (request) => isGet(request) && request.url.includes('/cold/'));
  if (seen === 'nothing') assert.equal(await lab.readCold(mount), 'right');
  else {
    assert.equal(await lab.readCold(mount), 'EIO');
    await waitFor(`${JSON.stringify(seen)} in the log`, () => mount.log().some(readFailed(seen)), liveness);
  }
  assert.ok(lab.struck > 0);
  await lab.end();
  await waitFor('the right bytes', async () => (await lab.readCold(mount)) === 'right', liveness, 200);
  await lab.sees(mount);
  await lab.calm();
}

/** @param inTurns whether to strike only one listing of three, the first or the second */
function strikesIn(stage: Cell['stage'], inTurns: boolean): (request: ProxiedRequest) => boolean {
  if (stage === 'prefetch') return isGet;
  if (stage === 'watch') return isWatch;
  let listings = 0;
  return (request) => {
    if (!isList(request)) return false;
    if (placeOf(request) === '') listings += 1;
    // The first listing differs from the tree that is shown; the second one belongs to the settling.
    const first = stage === 'settle' ? 2 : 1;
    return inTurns ? listings % 3 === first % 3 : listings >= first;
  };
}

function degradedBy(seen: Cell['seen']): string {
  const code = typeof seen === 'object' && 'code' in seen ? seen.code : '';
  if (code === 'throttled') return 'source-throttled';
  return code === 'expired' ? 'source-denied' : 'source-unreachable';
}

type Line = Mount extends { log(): readonly (infer L)[] } ? L : never;

function isHeld({ held }: Line): boolean {
  return held !== undefined;
}

function waitsFor(code: string): (line: Line) => boolean {
  return ({ event, objects }) =>
    event === 'waiting-for-objects' && JSON.stringify(objects).includes(`"detail":"${code}: `);
}

function names(seen: Cell['seen']): (line: Line) => boolean {
  return ({ event, code }) =>
    event === 'revalidation-failed' && typeof seen === 'object' && 'code' in seen && code === seen.code;
}

function readFailed(seen: Cell['seen']): (line: Line) => boolean {
  return ({ event, code }) =>
    event === 'reads-failed' && typeof seen === 'object' && 'code' in seen && code === seen.code;
}
