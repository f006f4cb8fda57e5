import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { keepStoreTraits } from '../../src/state/store-traits-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('what was found out of a store is known to the server that takes over', async (t) => {
  const file = `${await temporaryDirectory(t)}/store-traits`;
  assert.deepEqual(keepStoreTraits(file, 17).recall(), []);
  keepStoreTraits(file, 17).keep(['own-listing-etags', 'no-md5-etags']);
  assert.deepEqual(keepStoreTraits(file, 17).recall(), ['own-listing-etags', 'no-md5-etags']);
  // Under another supervisor, a server counts as the first one.
  assert.deepEqual(keepStoreTraits(file, 18).recall(), ['own-listing-etags']);
  keepStoreTraits(file, 17).keep([]);
  assert.deepEqual(keepStoreTraits(file, 17).recall(), []);
});

test('a file of traits that says nothing of use is as if there were none', async (t) => {
  const file = `${await temporaryDirectory(t)}/store-traits`;
  for (const text of [
    '',
    '{',
    'null',
    '7',
    '[]',
    '{}',
    '{"traits":7}',
    '{"traits":[7,null,"x"],"supervisor":17}',
  ]) {
    writeFileSync(file, text);
    assert.deepEqual(keepStoreTraits(file, 17).recall(), []);
  }
});

test('a disk that takes no traits is no trouble', async (t) => {
  const directory = await temporaryDirectory(t);
  keepStoreTraits(`${directory}/not/there`, 17).keep(['no-md5-etags']);
  mkdirSync(`${directory}/store-traits`);
  keepStoreTraits(`${directory}/store-traits`, 17).keep(['no-md5-etags']);
  assert.deepEqual(readdirSync(directory), ['store-traits']);
  keepStoreTraits(`${directory}/other`, 17).keep(['no-md5-etags']);
  assert.match(readFileSync(`${directory}/other`, 'utf8'), /no-md5-etags/);
});
