import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Serving } from '../../src/session/messages.ts';
import { resumeConnection } from '../../src/takeover/resume-connection.ts';

const OPTIONS = {
  device: 7,
  init: undefined,
  journal: undefined,
  trees: [],
  presentation: { uid: 0, gid: 0, umask: 0 },
  versions: undefined,
  cacheDirectory: '/missing',
};

for (const [what, serving] of [
  ['have their first answers', () => Promise.resolve({} as Serving)],
  ['may wait for a notification that hangs', () => new Promise<Serving>(() => undefined)],
  [
    'get no answer, because the session fails',
    () => Promise.reject<Serving>(new Error('the session failed')),
  ],
] as const) {
  test(`the rest of a start begins, but not at once, if readers ${what}`, async (t) => {
    // The wait for the session does not keep a process alive.
    const alive = setInterval(() => undefined, 60_000);
    t.after(() => clearInterval(alive));
    const inherited = resumeConnection({ start: serving }, OPTIONS);
    let begins = false;
    const begun = inherited.soonServing.then(() => {
      begins = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(begins, false);
    await begun;
  });
}
