import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { replaceFile } from '../../src/base/replace-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('a file is replaced, only its user can read it, and nothing is left beside it', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = `${directory}/record.json`;
  const old = statSync(path, { throwIfNoEntry: false });
  assert.equal(old, undefined);
  replaceFile(path, 'one');
  const { ino } = statSync(path);
  replaceFile(path, 'two');
  assert.equal(readFileSync(path, 'utf8'), 'two');
  assert.notEqual(statSync(path).ino, ino, 'a reader of the old file keeps its content');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['record.json']);
});

test('what a killed process left beside a file is overwritten', async (t) => {
  const directory = await temporaryDirectory(t);
  writeFileSync(`${directory}/record.json.next`, 'half of a much longer con');
  replaceFile(`${directory}/record.json`, 'whole');
  assert.deepEqual(readdirSync(directory), ['record.json']);
  assert.equal(readFileSync(`${directory}/record.json`, 'utf8'), 'whole');
});

test('a file that cannot be replaced stays, and nothing is left beside it', async (t) => {
  const directory = await temporaryDirectory(t);
  mkdirSync(`${directory}/record.json/within`, { recursive: true });
  assert.throws(() => replaceFile(`${directory}/record.json`, 'new'), { syscall: 'rename' });
  assert.deepEqual(readdirSync(directory), ['record.json']);
  assert.throws(() => replaceFile(`${directory}/absent/record.json`, 'new'), { code: 'ENOENT' });
});
