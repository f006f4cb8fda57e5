import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { StateAhead } from '../../src/state/state-ahead.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { identity, Places } from './places.ts';

const { mountId } = identity;

async function following(t: Cleanup, places: Places, mostBytes = 2 ** 20): Promise<StateAhead> {
  const { runtimeDirectory } = places;
  const ahead = new StateAhead({ runtimeDirectory, mountId, mostBytes, lookMs: 5 });
  defer(t, () => ahead.stop());
  await ahead.follow();
  return ahead;
}

describe('the state that a standby reads in advance', () => {
  test('is the state in force, and a takeover uses it as it uses the file', async (t) => {
    const places = await Places.make(t);
    places.source.put('a.py');
    await places.publish(1);
    const { current } = await following(t, places);
    assert.equal(current?.state.number, 1);
    const found = await places.takeOver();
    assert.deepEqual(current?.state.generation.buffer, found?.state.generation.buffer);
    assert.equal(await found?.inCache(), true);
  });

  test('counts no more once there is another one, and is read again', async (t) => {
    const places = await Places.make(t);
    places.source.put('a.py');
    await places.publish(1);
    const ahead = await following(t, places);
    assert.equal(ahead.current?.state.number, 1);
    places.source.put('b.py');
    await places.publish(2);
    assert.notEqual(ahead.current?.state.number, 1);
    await waitFor('the next state', () => ahead.current?.state.number === 2);
  });

  test('is not read in advance if it is too large, damaged or missing', async (t) => {
    const places = await Places.make(t);
    assert.equal((await following(t, places)).current, undefined);
    places.source.put('a.py');
    await places.publish(1);
    assert.equal((await following(t, places, 100)).current, undefined);
    const ahead = await following(t, places);
    await rm(places.takeover);
    assert.equal(ahead.current, undefined);
    await writeFile(places.takeover, Buffer.alloc(1000));
    assert.equal((await following(t, places)).current, undefined);
    assert.deepEqual(places.log.lines, []);
  });
});
