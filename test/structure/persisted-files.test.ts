import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { persistedFiles, persistedPlaces } from '../../src/base/persisted-files.ts';
import { repository } from '../support/repository.ts';

test('the table of files that outlive a process in docs/architecture.md is that of the code', () => {
  const docs = readFileSync(join(repository, 'docs/architecture.md'), 'utf8');
  const section = docs.split('\n## State that outlives the process\n')[1] ?? '';
  const rows = section
    .trimStart()
    .split('\n\n')[0]
    ?.split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const declared = Object.values(persistedFiles).map(({ place, name, meaning }) => [
    `\`${persistedPlaces[place]}${name}\``,
    meaning,
  ]);
  assert.deepEqual(rows, declared);
});

test('no file below a directory that outlives the process is named outside of that table', () => {
  const named = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      /`\$\{\w*[dD]irectory\}\/[a-z]/.test(
        readFileSync(join(repository, 'src', file), 'utf8').replaceAll('}/v1/$', ''),
      ),
    );
  assert.deepEqual(named, []);
});
