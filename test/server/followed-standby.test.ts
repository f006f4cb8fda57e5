import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { keepFollowedStandby } from '../../src/server/followed-standby.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('the next server knows that the shown tree is of a standby, until the first source is followed', async (t) => {
  const file = `${await temporaryDirectory(t)}/followed-standby`;
  assert.equal(keepFollowedStandby(file).recall(), false);
  keepFollowedStandby(file).keep('s3://west/dags/');
  assert.equal(keepFollowedStandby(file).recall(), true);
  keepFollowedStandby(file).keep(undefined);
  assert.equal(keepFollowedStandby(file).recall(), false);
  keepFollowedStandby(file).keep(undefined);
});

test('a disk that takes no file, and a file of another kind, are as if there was none', async (t) => {
  const directory = await temporaryDirectory(t);
  keepFollowedStandby(`${directory}/not/there`).keep('s3://west/dags/');
  mkdirSync(`${directory}/followed-standby`);
  assert.equal(keepFollowedStandby(`${directory}/followed-standby`).recall(), false);
  keepFollowedStandby(`${directory}/followed-standby`).keep('s3://west/dags/');
  keepFollowedStandby(`${directory}/followed-standby`).keep(undefined);
});
