import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

test('every test that runs only with --long for its quicker twin has that twin', () => {
  const directory = join(repository, 'test/e2e');
  const twins = readdirSync(directory).flatMap((file) => {
    const text = readFileSync(join(directory, file), 'utf8');
    return [...text.matchAll(/\bslowTwin\(\s*(['"`])(.+?\.test\.ts): (.+?)\1\s*,?\s*\)/gs)].map(
      ([, , path, name]) => ({ file, path: path!, name: name! }),
    );
  });
  assert.ok(twins.length > 0);
  const missing = twins.filter(({ path, name }) => {
    const twin = join(repository, 'test', path);
    return !existsSync(twin) || !readFileSync(twin, 'utf8').includes(name);
  });
  assert.deepEqual(missing, []);
});
