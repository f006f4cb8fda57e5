import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ownPackage } from '../../src/base/own-package.ts';
import { ABSENT, ARRIVING } from '../../src/cache/verification.ts';
import {
  MOST_ENTRIES,
  readVerified,
  VERIFIED_HEAD_BYTES,
  writeVerified,
} from '../../src/state/verified-file.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

const FINGERPRINTS = [ABSENT, 2n, 0xffff_ffff_ffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n];
const NUMBER = 41;

function shared(fingerprints: readonly bigint[]): BigUint64Array {
  const all = new BigUint64Array(new SharedArrayBuffer(8 * fingerprints.length));
  all.set(fingerprints);
  return all;
}

function read(path: string, number = NUMBER, entries = FINGERPRINTS.length): readonly bigint[] {
  const found = shared(new Array<bigint>(entries).fill(ABSENT));
  readVerified(path, number, found);
  return [...found];
}

async function written(t: Cleanup): Promise<string> {
  const path = `${await temporaryDirectory(t)}/takeover.verified`;
  writeVerified(path, `${path}.next`, NUMBER, shared(FINGERPRINTS));
  return path;
}

const nothing = FINGERPRINTS.map(() => ABSENT);

test('a successor knows what was verified', async (t) => {
  assert.deepEqual(read(await written(t)), FINGERPRINTS);
});

test('what was arriving is absent for a successor, because nothing fetches it any more', async (t) => {
  const path = await written(t);
  writeVerified(path, `${path}.next`, NUMBER, shared([ARRIVING, ...FINGERPRINTS.slice(1)]));
  assert.deepEqual(read(path), FINGERPRINTS);
});

test('what was verified in another tree counts for nothing', async (t) => {
  const path = await written(t);
  assert.deepEqual(read(path, NUMBER + 1), nothing);
  assert.deepEqual(read(path, NUMBER, 4), [ABSENT, ABSENT, ABSENT, ABSENT]);
  assert.deepEqual(read(path, NUMBER, 6), [...nothing, ABSENT]);
});

test('what was verified before the host last started counts for nothing', async (t) => {
  const path = await written(t);
  const file = readFileSync(path);
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const at = file.indexOf(bootId, 0, 'latin1');
  assert.notEqual(at, -1);
  file.write('00000000', at, 'latin1');
  writeFileSync(path, file);
  assert.deepEqual(read(path), nothing);
});

test('what another version of dagmount verified counts for nothing', async (t) => {
  const path = await written(t);
  const file = readFileSync(path);
  file.write('0.0.9-other', file.indexOf(ownPackage().version, 0, 'latin1'), 'latin1');
  writeFileSync(path, file);
  assert.deepEqual(read(path), nothing);
});

test('a file that is missing, cut or of another format counts for nothing', async (t) => {
  const path = await written(t);
  assert.deepEqual(read(`${path}.missing`), nothing);
  const file = readFileSync(path);
  file.write('DAGMVER2', 'latin1');
  writeFileSync(path, file);
  assert.deepEqual(read(path), nothing);
  for (const bytes of [file.length - 1, VERIFIED_HEAD_BYTES, 7, 0]) {
    truncateSync(path, bytes);
    assert.deepEqual(read(path), nothing);
  }
});

test('the file goes when the tree grows very large', async (t) => {
  const path = await written(t);
  writeVerified(path, `${path}.next`, NUMBER, new BigUint64Array(MOST_ENTRIES + 1));
  assert.equal(existsSync(path), false);
  assert.deepEqual(read(path), nothing);
});
