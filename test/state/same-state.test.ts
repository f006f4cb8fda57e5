import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isHeadInCache, isKeptInCache } from '../../src/state/same-state.ts';
import { HEAD_BYTES } from '../../src/state/state-header.ts';
import { Places } from './places.ts';

test('a state is kept in the cache directory only if every byte is there, and its head as soon as the head is', async (t) => {
  const places = await Places.make(t);
  const { runtimeDirectory, cacheDirectory } = places;
  places.source.putFiles(3);
  await places.publish(100);
  const whole = await readFile(places.takeover);
  const head = whole.subarray(0, HEAD_BYTES);
  const answers = async () => [
    await isHeadInCache(head, cacheDirectory),
    isKeptInCache(runtimeDirectory, cacheDirectory),
  ];
  assert.deepEqual(await answers(), [true, true]);
  const damaged = Buffer.from(whole);
  damaged[whole.length - 1]! ^= 1;
  await writeFile(places.coldStart, damaged);
  assert.deepEqual(await answers(), [true, false], 'the last byte differs');
  await writeFile(places.coldStart, whole.subarray(0, -1));
  assert.deepEqual(await answers(), [true, false], 'the last byte is missing');
  damaged[16]! ^= 1;
  await writeFile(places.coldStart, damaged);
  assert.deepEqual(await answers(), [false, false], 'the head differs');
  await rm(places.coldStart);
  assert.deepEqual(await answers(), [false, false], 'there is none');
});
