import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

/** What `put` writes: the same line many times, so that a mixture shows. */
function content(number: number): string {
  return `version ${number}\n`.repeat(200);
}

describe('an object that is overwritten all the time', { skip: mountImpossible }, () => {
  test('is shown whole, as it was found, and keeps nothing else from being published', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['hot.py', content(0)],
        ['calm.py', 'old'],
      ]),
    );
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });

    // No GET that asks for a version finds it: between the listing and the GET there is always one more PUT.
    let number = 0;
    let over = false;
    let conditional = 0;
    let unconditional = 0;
    proxy.fault = ({ kind, url, header }) => {
      if (kind !== 'GET' || !url.includes('hot.py')) return undefined;
      if (header('if-match') === undefined) unconditional += 1;
      else conditional += 1;
      return { delay: 300 };
    };
    const writing = (async () => {
      while (!over) {
        number += 1;
        await store.put('dags/hot.py', content(number));
      }
    })();
    await store.put('dags/calm.py', 'new');
    await waitFor('the other file', async () => (await shell(mount.target, 'cat calm.py')) === 'new');
    await waitFor('a later version', async () => {
      const lines = new Set((await shell(mount.target, 'cat hot.py')).trimEnd().split('\n'));
      assert.equal(lines.size, 1, `a mixture of ${[...lines]}`);
      return !lines.has('version 0');
    });
    over = true;
    await writing;
    assert.ok(conditional > 0 && unconditional > 0, `${conditional} by version, ${unconditional} without`);
    t.diagnostic(`${number} overwrites; ${conditional} GETs by version, ${unconditional} without`);
    const last = content(number);
    await waitFor('the last version', async () => (await shell(mount.target, 'cat hot.py')) === last);
  });
});

describe('an object that arrives damaged each time', { skip: mountImpossible }, () => {
  test('is shown, cannot be read, and keeps nothing else from being published', async (t) => {
    const store = await openStore(t, new Map([['calm.py', 'old']]));
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(
      t,
      { ...store, endpoint: proxy.endpoint },
      { args: ['--unreadable-wait', '2s', '--read-deadline', '3s'] },
    );
    proxy.fault = ({ kind, url }) =>
      kind === 'GET' && url.includes('broken.py')
        ? {
            change: ({ head, body }) => {
              const flipped = Buffer.from(body);
              flipped[0] = (flipped[0] ?? 0) ^ 1;
              return { head, body: flipped };
            },
          }
        : undefined;
    await store.put('dags/broken.py', 'precious');
    await store.put('dags/calm.py', 'new');
    await waitFor('the other file', async () => (await shell(mount.target, 'cat calm.py')) === 'new');
    assert.equal(
      await shell(mount.target, 'stat -c %s broken.py; cat broken.py 2>&1 || true'),
      '8\ncat: broken.py: Input/output error\n',
    );
    assert.ok(mount.log().some(({ event }) => event === 'unreadable-objects'));
    proxy.fault = undefined;
    await waitFor('the content', async () => {
      return (await shell(mount.target, 'cat broken.py 2>/dev/null || true')) === 'precious';
    });
  });
});
