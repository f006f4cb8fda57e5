import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('a process has the version that it began with, also when the package is replaced or removed', async (t) => {
  const directory = await temporaryDirectory(t);
  const module = join(directory, 'dist', 'own-package.js');
  const manifest = join(directory, 'package.json');
  mkdirSync(join(directory, 'dist'));
  cpSync(join(repository, 'dist/src/base/own-package.js'), module);
  writeFileSync(manifest, JSON.stringify({ name: 'dagmount', version: '1.2.3', type: 'module' }));
  const { ownPackage } = (await import(
    pathToFileURL(module).href
  )) as typeof import('../../src/base/own-package.ts');
  assert.deepEqual(ownPackage(), { directory, version: '1.2.3' });
  writeFileSync(manifest, '{');
  assert.equal(ownPackage().version, '1.2.3');
  rmSync(manifest);
  assert.equal(ownPackage().version, '1.2.3');
});
