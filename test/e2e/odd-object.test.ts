import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProblemItem } from '../../src/control/shapes/status.ts';
import { ask, eventsOf, metricsOf } from '../support/control.ts';
import { mountImpossible, statusOf } from '../support/mount.ts';
import type { Fault } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';
import { denied, startProxied } from './proxied.ts';

/** The daemon retries this fault, and gives it up sooner than an answer of 500. */
const damaged: Fault = {
  change: ({ head, body }) => ({
    head: head.replace(/^content-length:.*$/im, 'content-length: 1'),
    body: body.subarray(0, 1),
  }),
};

describe('promise 2: one object that cannot be had', { skip: mountImpossible }, () => {
  test('keeps no other change from readers; it is named, gives EIO, and is read once it can be had', async (t) => {
    const files = Array.from({ length: 8 }, (_, file) => [`fine${file}.py`, `first ${file}`] as const);
    const store = await openStore(t, new Map([...files, ['odd.py', 'old']]));
    const proxied = await startProxied(t, store);
    const mount = await mountStore(t, proxied, {
      args: ['--unreadable-wait', '3s', '--read-deadline', '3s'],
    });
    const events = eventsOf(t, mount);
    proxied.fault = ({ url }) => (url.includes('odd.py') ? denied : undefined);
    await store.putAll(
      new Map([
        ['odd.py', 'newer'],
        ['fine0.py', 'second'],
      ]),
    );
    const waiting = async (): Promise<string | undefined> =>
      (await statusOf(mount)).waiting?.objects[0]?.path;
    await waitFor('the wait for the object', async () => (await waiting()) === 'odd.py');
    assert.equal(await shell(mount.target, 'cat odd.py fine0.py'), 'oldfirst 0');

    const isChanged = async (): Promise<boolean> => (await shell(mount.target, 'cat fine0.py')) === 'second';
    await waitFor('the other change', isChanged, 60_000);
    const seen = await shell(mount.target, 'stat -c %s odd.py; cat odd.py 2>&1 || true');
    assert.match(seen, /^5\n.*Input\/output error\n$/);
    const status = await statusOf(mount);
    assert.deepEqual([status.degraded.includes('unreadable-objects'), status.problems], [true, 1]);
    assert.equal(status.source.lastError, null);
    const { items } = JSON.parse(await ask(mount, '/v1/problems')) as {
      readonly items: readonly ProblemItem[];
    };
    assert.deepEqual(
      items.map(({ key, reason }) => [key, reason]),
      [['dags/odd.py', 'unreadable-object']],
    );
    assert.match(items[0]?.detail ?? '', /not this one/);
    assert.equal((await metricsOf(mount))('unreadable_objects'), 1);

    proxied.fault = () => undefined;
    const isRead = async (): Promise<boolean> =>
      (await shell(mount.target, 'cat odd.py 2>/dev/null || true')) === 'newer';
    await waitFor('the object', isRead, 60_000);
    await waitFor('the end of the problem', async () => (await statusOf(mount)).problems === 0);
    const told = (): readonly number[] =>
      events.flatMap((event) => (event.type === 'unreadable-objects' ? [event.files] : []));
    await waitFor('both events', () => told().length === 2);
    assert.deepEqual(told(), [1, 0]);
  });

  test('does not keep a first start from being ready, which says meanwhile what it waits for', async (t) => {
    const store = await openStore(t, new Map(['a.py', 'b.py', 'c.py', 'odd.py'].map((path) => [path, path])));
    const proxied = await startProxied(t, store);
    proxied.fault = ({ url }) => (url.includes('odd.py') ? damaged : undefined);
    const mount = await mountStore(t, proxied, { args: ['--unreadable-wait', '2s'] });
    const waits = mount.log().filter(({ event }) => event === 'waiting-for-objects');
    assert.match(JSON.stringify(waits), /odd\.py/);
    assert.equal(await shell(mount.target, 'cat a.py b.py c.py'), 'a.pyb.pyc.py');
    assert.equal((await statusOf(mount)).problems, 1);
  });
});
