import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SyncView } from '../../../src/sync/sync-view.ts';
import { serviceStatus } from '../../../src/takeover/service-status.ts';
import { Heartbeat } from '../../../src/takeover/supervisor/heartbeat.ts';

const listing = { status: () => serviceStatus({ generation: undefined } as unknown as SyncView) };
const NOTHING_COUNTED = {} as Awaited<ReturnType<Parameters<Heartbeat['beat']>[0]['counters']>>;
const answers = { counters: async () => NOTHING_COUNTED };

function heart({ restarts = 0, wantsStandby = true, another = true } = {}) {
  const sent: string[] = [];
  const state = { isThere: true, now: 0, changes: 0, starts: 0 };
  const heartbeat = new Heartbeat({
    client: {
      restarts,
      send: (message) => {
        sent.push(message);
        return 0;
      },
      alive: () => {
        sent.push('WATCHDOG=1');
        return state.isThere;
      },
      startAnother: () => {
        state.starts += 1;
        return another;
      },
    },
    wantsStandby,
    onChange: () => {
      state.changes += 1;
    },
    now: () => state.now,
  });
  return { heartbeat, sent, state };
}

describe('a heartbeat', () => {
  test('begins when readers are answered, and says what is shown when that changes', async () => {
    const { heartbeat, sent } = heart();
    await heartbeat.beat(answers, listing);
    assert.deepEqual(sent, []);
    heartbeat.answering();
    await heartbeat.beat(answers, listing);
    await heartbeat.beat(answers, listing);
    assert.deepEqual(sent, ['STATUS=Listing the store for the first time', 'WATCHDOG=1', 'WATCHDOG=1']);
  });

  test('is silent while the session does not answer, and does not pile up', async () => {
    const { heartbeat, sent } = heart();
    heartbeat.answering();
    let asked = 0;
    let answer: () => void = () => undefined;
    const hangs = {
      counters: () => {
        asked += 1;
        return new Promise<typeof NOTHING_COUNTED>((resolve) => {
          answer = () => resolve(NOTHING_COUNTED);
        });
      },
    };
    const first = heartbeat.beat(hangs, listing);
    for (let beat = 0; beat < 10; beat += 1) await heartbeat.beat(hangs, listing);
    assert.deepEqual([asked, sent], [1, []]);
    answer();
    await first;
    assert.equal(sent.at(-1), 'WATCHDOG=1');
  });

  test('asks for a standby 10 s after the first server is ready, and at once of a successor', async () => {
    const first = heart();
    first.heartbeat.serving();
    first.heartbeat.ready();
    first.state.now = 10_000;
    await first.heartbeat.beat(answers, listing);
    assert.ok(!first.sent.includes('SPARE=1'));
    first.state.now = 10_001;
    await first.heartbeat.beat(answers, listing);
    assert.ok(first.sent.includes('SPARE=1'));
    const successor = heart({ restarts: 1 });
    successor.heartbeat.serving();
    successor.heartbeat.ready();
    successor.state.now = 1;
    await successor.heartbeat.beat(answers, listing);
    assert.ok(successor.sent.includes('SPARE=1'));
    const without = heart({ restarts: 1, wantsStandby: false });
    without.heartbeat.serving();
    without.heartbeat.ready();
    without.state.now = 1;
    await without.heartbeat.beat(answers, listing);
    assert.ok(!without.sent.includes('SPARE=1'));
  });

  test('asks for a standby 10 s after it serves also where it is never ready, since the store is down', async () => {
    const { heartbeat, sent, state } = heart({ restarts: 1 });
    heartbeat.serving();
    state.now = 10_001;
    await heartbeat.beat(answers, listing);
    assert.ok(sent.includes('SPARE=1'));
  });

  test('starts another supervisor when its own is gone, and tells that once', async () => {
    const { heartbeat, state } = heart();
    heartbeat.answering();
    state.isThere = false;
    await heartbeat.beat(answers, listing);
    assert.deepEqual([state.starts, state.changes, heartbeat.isAlone], [1, 1, false]);
  });

  test('tells once that no other supervisor can be started, and goes on trying', async () => {
    const { heartbeat, state } = heart({ another: false });
    heartbeat.answering();
    state.isThere = false;
    for (let beat = 0; beat < 3; beat += 1) await heartbeat.beat(answers, listing);
    assert.deepEqual([state.starts, state.changes, heartbeat.isAlone], [3, 1, true]);
  });
});
