import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofServer } from '../../src/takeover/replacement.ts';

test('a replacement that is dropped since the mount ends is told as the end, and not as a server that goes on', () => {
  const dropped = { kind: 'dropped', reason: 'the mount is gone' } as const;
  assert.deepEqual(ofServer(dropped, true), { kind: 'ends' });
  assert.deepEqual(ofServer(dropped, false), dropped);
  assert.deepEqual(ofServer({ kind: 'stands-by' }, true), { kind: 'stands-by' });
});
