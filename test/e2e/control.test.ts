import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/shapes.ts';
import { dagmount, mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { mountStore, openStore } from './fixture.ts';

describe('the control socket', { skip: mountImpossible }, () => {
  test('tells the status of a mount, and is gone with it', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', 'one'],
        ['pkg/b.py', 'two!'],
      ]),
    );
    const mount = await mountStore(t, store);
    const { code, stdout, stderr } = await dagmount(['status', '--json', '--socket', mount.socket()]);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const status = JSON.parse(stdout) as Status;
    assert.equal(status.ready, true);
    assert.equal(status.pid, mount.pid);
    assert.deepEqual(status.degraded, []);
    assert.equal(status.mount.target, mount.target);
    assert.deepEqual(
      [
        status.generation?.number,
        status.generation?.files,
        status.generation?.directories,
        status.generation?.bytes,
      ],
      [1, 2, 2, 7],
    );
    const forPeople = await dagmount(['status', '--socket', mount.socket()]);
    assert.match(forPeople.stdout, /^state +ready$/m);
    await mount.stop();
    assert.equal(existsSync(mount.socket()), false);
    assert.equal((await dagmount(['status', '--socket', mount.socket()])).code, 69);
  });

  test('answers a refresh that waits only when a reader sees what the store held', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'old']]));
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    assert.equal(await shell(mount.target, 'cat a.py'), 'old');
    for (const content of ['new', 'newer', 'old']) {
      await store.put('dags/a.py', content);
      const { code, stdout } = await dagmount(['refresh', '--wait', '--json', '--socket', mount.socket()]);
      assert.equal(code, 0);
      assert.equal(JSON.parse(stdout).outcome, 'published');
      assert.equal(await shell(mount.target, 'cat a.py'), content);
    }
    const again = await dagmount(['refresh', '--wait', '--json', '--socket', mount.socket()]);
    assert.equal(JSON.parse(again.stdout).outcome, 'current');
    assert.equal((await dagmount(['refresh', '--socket', mount.socket()])).code, 0);
  });
});
