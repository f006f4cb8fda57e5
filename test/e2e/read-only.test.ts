import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { python, startPython } from '../support/reader.ts';
import { mountStore, openStore } from './fixture.ts';

test('promise 8, nothing is written: every mutation is EROFS, as root too', {
  skip: mountImpossible,
}, async (t) => {
  const store = await openStore(
    t,
    new Map([
      ['a.py', 'a'],
      ['pkg/b.py', 'b'],
    ]),
  );
  const mount = await mountStore(t, store);
  const reading = await startPython('mutations.py', [mount.tree, 'a.py', 'pkg']).done;
  assert.equal(reading.code, 0, reading.stderr);
  const results = Object.entries(JSON.parse(reading.stdout) as Record<string, string>);
  assert.ok(results.length > 20);
  assert.deepEqual(
    results.filter(([, result]) => result !== 'EROFS'),
    [],
  );
  const flags =
    'import os, sys; print(os.statvfs(sys.argv[1]).f_flag & 7, os.access(sys.argv[1] + "/a.py", os.W_OK))';
  // ST_RDONLY, ST_NOSUID and ST_NODEV.
  assert.equal(await python(flags, [mount.tree]), '7 False\n');
});
