import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { restartCauses, restartReasonOf } from '../../src/takeover/restart-cause.ts';
import { repository } from '../support/repository.ts';
import { documented } from './machine-program.ts';

test('every cause of the document is told from the text that follows it', () => {
  const words = documented('cause').map(([word = '']) => word.replaceAll('`', ''));
  assert.deepEqual(words, restartCauses);
  for (const cause of restartCauses)
    assert.deepEqual(restartReasonOf(`${cause}: why: it is`), { cause, reason: 'why: it is' });
});

test('the supervisor names each cause, and no other', () => {
  const machine = readFileSync(join(repository, 'native/supervisor/machine.c'), 'utf8');
  const named = [...machine.matchAll(/"([a-z-]+): /g)].map(([, cause]) => cause);
  assert.deepEqual(named.sort(), [...restartCauses].sort());
});

test('what a supervisor of another build says stays whole', () => {
  for (const reason of ['', 'signal 9 (Killed)', 'of-a-later-build: why', 'died', 'silent:x'])
    assert.deepEqual(restartReasonOf(reason), { cause: undefined, reason });
});
