import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDying, type Threads } from '../../src/session/dying.ts';
import { startChild } from '../support/child.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

function seen(status: string | { readonly code: string }, answer: ReturnType<Threads['answersTo']> = 'ours') {
  const threads: Threads = {
    status: async () => {
      if (typeof status === 'string') return status;
      throw Object.assign(new Error(status.code), { ...status, syscall: 'open' });
    },
    answersTo: () => answer,
  };
  return isDying(7, threads);
}

test('a caller that waits is dying where it has a SIGKILL pending, or is there no more', async () => {
  assert.equal(
    await seen('State:\tS (sleeping)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n'),
    false,
  );
  assert.equal(
    await seen('State:\tD (disk sleep)\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n'),
    true,
  );
  assert.equal(
    await seen('State:\tD (disk sleep)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n'),
    true,
  );
  assert.equal(await seen('State:\tZ (zombie)\n'), true);
  assert.equal(await seen('State:\tX (dead)\n'), true);
  assert.equal(await seen({ code: 'ESRCH' }), true);
  assert.equal(await seen({ code: 'ENOENT' }, 'gone'), true);
});

test('a caller of which nothing can be known is not: it waits for its answer', async () => {
  for (const code of ['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'EIO', 'ENOMEM']) {
    assert.equal(await seen({ code }), false, code);
  }
  assert.equal(await seen({ code: 'ENOENT' }, 'of-others'), false, 'hidden by hidepid');
  assert.equal(await seen({ code: 'ENOENT' }, 'ours'), false, 'there is no /proc');
  assert.equal(await seen(''), false);
  assert.equal(await isDying(0), false, 'in another namespace of processes');
});

test('a process is seen to be gone once it is', async (t) => {
  const child = startChild('sleep', ['60']);
  defer(t, () => child.kill('SIGKILL'));
  assert.equal(await isDying(child.pid), false);
  child.kill('SIGKILL');
  await child.exit;
  await waitFor('its end', async () => await isDying(child.pid));
});
