import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RehearsalKernel } from '../../../src/session/kernel/rehearsal-kernel.ts';
import { mountedTree } from '../trees.ts';
import { SessionOnBytes } from './session-on-bytes.ts';

test('a rehearsal sends the requests of readers, which the session answers like those of a kernel', async () => {
  const kernel = new RehearsalKernel();
  const on = new SessionOnBytes();
  on.start(
    { 'a.py': 'a', 'team/b.py': 'bb' },
    {
      addon: kernel.addon,
      takeover: { init: undefined },
      fetchOf: () => async () => ({ kind: 'error', failure: 'unavailable' }),
    },
  );
  await kernel.play([mountedTree(on.generation)], new AbortController().signal);
  const { opcodes, malformed, refused } = on.session.counters();
  for (const kind of ['lookup', 'getattr', 'open', 'flush', 'release', 'opendir', 'readdirplus'])
    assert.equal(opcodes[kind], 2, kind);
  // Twice the same file: once before the session knows its content, and once after.
  assert.equal(opcodes.read, 2);
  assert.deepEqual([malformed, refused, on.faults], [0, 0, []]);
  assert.equal(on.serving.length, 1);
  await on.stop();
});

test('a rehearsal ends when the session is to serve, although the disk does not answer', async () => {
  const kernel = new RehearsalKernel();
  const on = new SessionOnBytes();
  on.start(
    { 'a.py': 'a' },
    {
      addon: kernel.addon,
      takeover: { init: undefined },
      fetchOf: () => () => new Promise(() => undefined),
    },
  );
  const over = new AbortController();
  const playing = kernel.play([mountedTree(on.generation)], over.signal);
  over.abort();
  await playing;
  await on.stop();
});

test('a rehearsal without a shown tree ends at once', async () => {
  await new RehearsalKernel().play([{ shown: undefined }], new AbortController().signal);
});
