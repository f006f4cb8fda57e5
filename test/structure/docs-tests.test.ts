import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

test('every test file that the docs name is there', () => {
  const missing = readdirSync(join(repository, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const text = readFileSync(join(repository, 'docs', file), 'utf8');
      const named = [...text.matchAll(/`(?:test\/)?([a-z0-9-]+(?:\/[a-z0-9-]+)*\.test\.ts)`/g)].map(
        ([, path]) => path!,
      );
      return named
        .filter((path) => !existsSync(join(repository, 'test', path)))
        .map((path) => `${file}: ${path}`);
    });
  assert.deepEqual(missing, []);
});
