import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type StandbyOptions, StandbyServer } from '../../src/takeover/standby-server.ts';

function standby(link: StandbyOptions['link']) {
  const log: string[] = [];
  const made = new StandbyServer({
    client: {
      send: (message) => {
        log.push(message);
        return 0;
      },
    },
    link,
    raisePriority: (usual) => {
      log.push(`raised above ${usual}`);
      return () => void log.push('restored');
    },
    rename: () => void log.push('renamed'),
    now: () => 1234,
  });
  return { standby: made, log };
}

const link = { standsBy: true, isStandby: true, nice: 5, restarts: 1 };
const never = new AbortController().signal;

describe('a server that stands by', () => {
  test('prepares, says that it is ready, and serves when it is told to, ahead of others and under its own name', async () => {
    const { standby: made, log } = standby(link);
    const turn = made.turn(async (isStandby) => void log.push(`prepared, standby: ${isStandby}`), never);
    await new Promise(setImmediate);
    assert.deepEqual(log, ['prepared, standby: true', 'STANDBY=1']);
    made.go();
    assert.equal(await turn, true);
    made.restorePriority();
    assert.deepEqual(log.slice(2), ['raised above 5', 'renamed', 'restored']);
    assert.equal(made.turnAt, 1234);
  });

  test('serves when the other one dies before it is ready', async () => {
    const { standby: made } = standby(link);
    const turn = made.turn(() => new Promise(() => undefined), never);
    made.go();
    assert.equal(await turn, true);
  });

  test('does not serve where its supervisor is gone, or it is to end', async () => {
    const orphan = standby(link);
    const alone = orphan.standby.turn(async () => undefined, never);
    orphan.standby.orphaned();
    assert.equal(await alone, false);
    const stop = new AbortController();
    const stopped = standby(link).standby.turn(async () => undefined, stop.signal);
    stop.abort();
    assert.equal(await stopped, false);
    assert.equal(await standby(link).standby.turn(async () => undefined, AbortSignal.abort()), false);
  });

  test('does not say that it is ready once it is to end, and does not serve', async () => {
    const over = new AbortController();
    const { standby: made, log } = standby(link);
    const turn = made.turn(() => new Promise((resolve) => setImmediate(resolve)), over.signal);
    over.abort();
    assert.equal(await turn, false);
    assert.equal(await made.turn(async () => undefined, over.signal), false);
    assert.deepEqual(log, []);
  });

  test('ends by what keeps it from being ready, and never says that it is', async () => {
    const { standby: made, log } = standby({ ...link, isStandby: false });
    await assert.rejects(
      made.turn(async () => {
        throw new Error('the settings are wrong');
      }, never),
      /the settings are wrong/,
    );
    assert.deepEqual(log, []);
  });
});

describe('a server that does not stand by', () => {
  const noPreparation = (): Promise<never> => assert.fail('there is nothing to prepare');

  test('serves at once: the first one as others do, a successor ahead of them', async () => {
    for (const [restarts, raised] of [
      [0, []],
      [3, ['raised above 5']],
    ] as const) {
      const { standby: made, log } = standby({ ...link, standsBy: false, restarts });
      assert.equal(await made.turn(noPreparation, never), true);
      assert.deepEqual(log, raised);
      assert.equal(made.turnAt, 0);
    }
    const alone = standby(undefined);
    assert.equal(await alone.standby.turn(noPreparation, never), true);
    assert.deepEqual(alone.log, []);
  });
});
