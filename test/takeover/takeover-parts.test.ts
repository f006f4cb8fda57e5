import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeoverParts } from '../../src/takeover/takeover-parts.ts';

test('the parts of a takeover follow one another, from its turn until the kernel knows its tree', () => {
  const parts = takeoverParts(1_000, { startedAt: 1_012.2, at: 1_030, answeredMs: 7.2 });
  assert.deepEqual(parts, { tree: 12, session: 11, notifications: 7 });
});

test('a server that did not stand by spends its start with the tree, too', () => {
  assert.equal(takeoverParts(0, { startedAt: 180, at: 190, answeredMs: 2 }).tree, 180);
});
