import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { referencePage } from '../../scripts/reference-page/page.ts';
import { repository } from '../support/repository.ts';

test('docs/reference.md is what the source says', () => {
  const page = readFileSync(join(repository, 'docs/reference.md'), 'utf8');
  assert.ok(page === referencePage(), 'docs/reference.md is not current: run scripts/reference');
});
