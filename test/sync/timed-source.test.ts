import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SyncNotice } from '../../src/sync/notice.ts';
import { TimedSource } from '../../src/sync/timed-source.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource } from './doubles/fake-source.ts';

function slowWorld() {
  const clock = new FakeClock();
  const source = new FakeSource(() => clock.now());
  source.putFiles(3);
  const events: string[] = [];
  const notices: SyncNotice[] = [];
  const write = (fields: object): void => {
    if ('event' in fields) events.push(String(fields.event));
  };
  const log = { debug: write, info: write, warn: write, error: write };
  const timed = new TimedSource(source, clock, log, (notice) => notices.push(notice));
  let takes = 0;
  source.onList = () => clock.sleep(takes, new AbortController().signal);
  const list = async (milliseconds: number): Promise<void> => {
    takes = milliseconds;
    const listed = timed.look({ signal: new AbortController().signal }).catch(() => undefined);
    await clock.advance(milliseconds);
    await listed;
  };
  return { clock, source, timed, events, notices, list };
}

describe('a source that is timed', () => {
  test('says how long the last listing took, or the one under way has taken', async () => {
    const { clock, source, timed, list } = slowWorld();
    assert.deepEqual(timed.view, { milliseconds: undefined, isSlow: false });
    await list(250);
    assert.deepEqual(timed.view, { milliseconds: 250, isSlow: false });
    source.onList = () => clock.sleep(1_000, new AbortController().signal);
    const under = timed.look({ signal: new AbortController().signal });
    await clock.advance(700);
    assert.deepEqual(timed.view, { milliseconds: 700, isSlow: false });
    await clock.advance(300);
    await under;
  });

  test('tells once of a listing that lasts longer than a minute, before it has ended', async () => {
    const { clock, source, timed, events, notices } = slowWorld();
    const since = clock.now();
    source.onList = () => clock.sleep(200_000, new AbortController().signal);
    const under = timed.look({ signal: new AbortController().signal });
    await clock.advance(59_999);
    assert.deepEqual(events, []);
    await clock.advance(100_001);
    assert.deepEqual([events, notices], [['source-slow'], [{ kind: 'source-slow', since }]]);
    assert.deepEqual(timed.view, { milliseconds: 160_000, isSlow: true });
    await clock.advance(40_000);
    await under;
    assert.equal(clock.sleeping, 0);
  });

  test('stays slow until a listing is quick, whatever fails meanwhile', async () => {
    const { source, timed, events, notices, list } = slowWorld();
    await list(90_000);
    source.listFails = 'unreachable';
    await list(10);
    assert.equal(timed.view.isSlow, true);
    source.listFails = undefined;
    await list(70_000);
    assert.deepEqual([timed.view.isSlow, notices.length], [true, 1]);
    await list(10);
    assert.deepEqual(timed.view, { milliseconds: 10, isSlow: false });
    assert.deepEqual(events, ['source-slow', 'source-quick']);
    await list(70_000);
    assert.deepEqual([timed.view.isSlow, notices.length], [true, 2]);
  });
});
