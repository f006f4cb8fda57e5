import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

/** The files of src/ whose code, without comments, matches. */
function having(pattern: RegExp): readonly string[] {
  return readdirSync(join(repository, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => pattern.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')))
    .map((file) => relative(repository, file).split(sep).join('/'))
    .sort();
}

const owner = 'src/cache/verification.ts';
const taker = 'src/cache/blob-file.ts';

test('a fingerprint is taken only where the whole content of a blob was checked or written', () => {
  assert.deepEqual(having(/\bfingerprintOf\s*\(\s*(await\s+)?(lstat|fstat|stat|before|\{)/), [taker, owner]);
  assert.deepEqual(having(/import\s[^;]*\bfingerprintOf\b[^;]*verification\.ts/), [taker]);
});

test('fingerprints are made and compared in one file only', () => {
  assert.deepEqual(having(/\bfingerprint\s*(===|!==|==|!=|<=?|>=?)\s*(0n|1n|ABSENT|fingerprintOf)/), []);
  assert.deepEqual(having(/[<>]=?\s*ARRIVING\b/), [owner]);
});
