import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Generations, Problems, Status } from '../../src/control/shapes/status.ts';
import { dagmount, launchMount, mountImpossible, statusOf } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { python, shell, startReader } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

// Most of the time, these tests wait: for the daemon to give the store up, for polls, for the next second.
describe('the control socket', { skip: mountImpossible, concurrency: 3 }, () => {
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
    assert.equal(status.pid, await mount.serverPid());
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

  test('tells which paths each publication changed, and what several changed together', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', 'one'],
        ['b.py', 'two'],
      ]),
    );
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    const ask = async (...args: string[]) => await dagmount([...args, '--socket', mount.socket()]);
    assert.equal((await ask('diff')).code, 66);
    await store.put('dags/new/c.py', '');
    await store.put('dags/a.py', 'other');
    assert.equal((await ask('refresh', '--wait')).code, 0);
    assert.equal((await ask('diff')).stdout, '~ a.py\n+ new/c.py\n');
    await store.delete('dags/new/c.py');
    await store.delete('dags/b.py');
    assert.equal((await ask('refresh', '--wait')).code, 0);
    assert.equal((await ask('diff')).stdout, '- b.py\n- new/c.py\n');
    const both = await ask('diff', '1', '3', '--exit-code');
    assert.deepEqual([both.stdout, both.code], ['~ a.py\n- b.py\n', 1]);
    assert.equal((await ask('diff', '3', '3', '--exit-code')).code, 0);
    assert.equal((await ask('diff', '99')).code, 66);
    const { items } = JSON.parse((await ask('generations', '--json')).stdout) as Generations;
    assert.deepEqual(
      items.map(({ number, added, changed, removed }) => [number, added, changed, removed]),
      [
        [3, 0, 0, 2],
        [2, 1, 1, 0],
        [1, 0, 0, 0],
      ],
    );
    assert.match(
      (await ask('generations')).stdout,
      /^NUMBER +ID +PUBLISHED +FILES +ADDED +CHANGED +REMOVED$/m,
    );
  });

  test('lists the keys that are left out', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['00.py', ''],
        ['a.py', 'one'],
      ]),
    );
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    // The store of these tests would refuse this key.
    const withHostileKey = (body: Buffer): Buffer =>
      Buffer.from(body.toString('latin1').replaceAll('00.py', '/0.py'), 'latin1');
    proxy.fault = ({ kind }) =>
      kind === 'LIST' ? { change: ({ head, body }) => ({ head, body: withHostileKey(body) }) } : undefined;
    const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });
    const { stdout } = await dagmount(['problems', '--json', '--socket', mount.socket()]);
    const { items } = JSON.parse(stdout) as Problems;
    assert.deepEqual(
      items.map(({ key, reason }) => [key, reason]),
      [['dags//0.py', 'empty-component']],
    );
    assert.equal((await statusOf(mount)).problems, 1);
    const forPeople = await dagmount(['problems', '--socket', mount.socket()]);
    assert.match(forPeople.stdout, /^empty-component +dags\/\/0\.py +left out/m);
  });

  test('counts the requests of the kernel and of the store, also over TCP', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store, { args: ['--metrics-listen', '127.0.0.1:0'] });
    await shell(mount.target, 'cat a.py && ls');
    const port = Number((await mount.logged('listening')).metricsPort);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const value = (name: string): number => {
      const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1));
    };
    assert.ok(value('dagmount_fuse_requests_total{opcode="readdirplus"}') > 0);
    assert.ok(value('dagmount_fuse_requests_total{opcode="init"}') > 0);
    assert.ok(value('dagmount_source_requests_total{operation="list",outcome="ok"}') > 0);
    assert.ok(value('dagmount_source_requests_total{operation="get",outcome="ok"}') > 0);
    assert.ok(value('dagmount_source_bytes_total') > 3);
    assert.ok(value('dagmount_publish_duration_seconds_count{stage="swap"}') > 0);
    assert.deepEqual(
      ['ready', 'held', 'supervised', 'restarts_total', 'generation_number', 'generation_files'].map((name) =>
        value(`dagmount_${name}`),
      ),
      [1, 0, 1, 0, 1, 1],
    );
    assert.equal(value('dagmount_cache_bytes'), 3);
    const { generation } = await statusOf(mount);
    assert.equal(value(`dagmount_generation_info{generation="${generation?.id}"}`), 1);
    for (const path of ['healthz', 'readyz'])
      assert.equal((await fetch(`http://127.0.0.1:${port}/${path}`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/v1/status`)).status, 404);
    assert.doesNotMatch(metrics, /a\.py|dags/);
  });

  test('says since when the store cannot be reached, and that it can again', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });
    const began = Date.now();
    proxy.goDown();
    const down = await waitFor('the outage to be seen', async () => {
      const now = await statusOf(mount);
      return now.degraded.includes('source-unreachable') && now;
    });
    const since = Date.parse(down.source.failingSince ?? '');
    assert.ok(since >= began - 1 && since <= Date.now(), `failing since ${down.source.failingSince}`);
    assert.equal(down.source.lastError?.code, 'unreachable');
    assert.ok(Date.parse(down.source.lastSuccessAt ?? '') <= since);
    const later = await waitFor('another failure', async () => {
      const now = await statusOf(mount);
      return now.source.consecutiveFailures > down.source.consecutiveFailures && now;
    });
    assert.equal(later.source.failingSince, down.source.failingSince);
    assert.ok((later.source.stalenessSeconds ?? 0) > (down.source.stalenessSeconds ?? 0));
    assert.equal(later.ready, true);
    assert.equal((await dagmount(['refresh', '--wait', '--socket', mount.socket()])).code, 69);
    const { stdout } = await dagmount(['status', '--socket', mount.socket()]);
    assert.match(stdout, /degraded: source-unreachable/);
    assert.match(stdout, new RegExp(`failing since ${down.source.failingSince}`));
    await proxy.comeUp();
    await waitFor('the outage to be over', async () => (await statusOf(mount)).degraded.length === 0);
    assert.equal((await statusOf(mount)).source.failingSince, null);
  });

  test('shows what is held, and shows it to readers once it is accepted', async (t) => {
    const files = new Map(Array.from({ length: 12 }, (_, at) => [`f${at}.py`, 'x'] as const));
    const store = await openStore(t, files);
    const mount = await mountStore(t, store, {
      // With a short interval, a listing may see some of the deletions before the others.
      args: ['--metrics-listen', '127.0.0.1:0', '--poll-interval', '1h'],
    });
    const ask = async (...args: string[]) => await dagmount([...args, '--socket', mount.socket()]);
    const metric = async (): Promise<boolean> => {
      const port = Number((await mount.logged('listening')).metricsPort);
      return /^dagmount_held 1$/m.test(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    };
    assert.equal((await ask('accept')).code, 66);
    for (let at = 0; at < 8; at++) await store.delete(`dags/f${at}.py`);
    await waitFor('the listing to be held', async () => (await ask('refresh', '--wait')).code === 75);
    const held = await statusOf(mount);
    assert.deepEqual([held.held?.removed, held.held?.files, held.degraded], [8, 4, ['held']]);
    assert.equal(await metric(), true);
    assert.ok(mount.log().some(({ event }) => event === 'held'));
    assert.match((await ask('status')).stdout, /^held +[0-9a-f]{32} since /m);
    assert.equal((await shell(mount.target, 'ls')).split('\n').length, 13);
    assert.equal((await ask('accept', 'f'.repeat(32))).code, 75);
    const accepted = await ask('accept', String(held.held?.generation));
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.equal(await shell(mount.target, 'ls'), 'f10.py\nf11.py\nf8.py\nf9.py\n');
    assert.equal((await statusOf(mount)).held, null);
    // The daemon computes the metrics once a second.
    await waitFor('the metric', async () => !(await metric()));
  });

  test('shows no longer as held what came back by itself', async (t) => {
    const files = new Map(Array.from({ length: 12 }, (_, at) => [`f${at}.py`, 'x'] as const));
    const store = await openStore(t, files);
    const mount = await mountStore(t, store);
    for (let at = 0; at < 12; at++) await store.delete(`dags/f${at}.py`);
    await waitFor('the listing to be held', async () => (await statusOf(mount)).held?.files === 0);
    await store.putAll(files);
    // The daemon may publish a listing of some of the files before one lists all of them.
    await waitFor('all to be shown', async () => {
      const { generation, held } = await statusOf(mount);
      return generation?.files === 12 && held === null;
    });
  });

  test('is closed to other users', {
    skip: process.getuid?.() !== 0 && 'only root can become another user',
  }, async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store);
    const modules = 'import os, socket, sys; ';
    const connect = 'socket.socket(socket.AF_UNIX).connect(sys.argv[1])';
    const become = 'os.setgroups([]); os.setgid(65534); os.setuid(65534); ';
    const other = startReader('python3', ['-c', modules + become + connect, mount.socket()]);
    assert.match((await other.done).stderr, /PermissionError: \[Errno 13\]/);
    await python(modules + connect, [mount.socket()]);
  });

  test('is found by the mount point, and shown by list', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store);
    const env = mount.environment;
    const listed = JSON.parse((await dagmount(['list', '--json'], env)).stdout) as {
      target: string;
      socket: string;
    }[];
    assert.equal(listed.find(({ target }) => target === mount.target)?.socket, mount.socket());
    const { code, stdout } = await dagmount(['status', '--json', '--mount', mount.target], env);
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as Status).pid, await mount.serverPid());
    assert.equal((await dagmount(['status', '--mount', '/'], env)).code, 66);
  });

  test('is refused to a second daemon, and where its path is too long', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store);
    const again = await launchMount(t, {
      source: `s3://${store.bucket}/dags`,
      env: store.env,
      args: ['--endpoint-url', store.endpoint, '--socket', mount.socket()],
    });
    assert.equal((await again.exit).code, 75);
    const long = await launchMount(t, {
      source: `s3://${store.bucket}/dags`,
      env: store.env,
      args: ['--endpoint-url', store.endpoint, '--socket', `/tmp/${'x'.repeat(120)}`],
    });
    assert.equal((await long.exit).code, 78);
    assert.equal((await statusOf(mount)).ready, true);
  });

  test('names on the root, by an extended attribute, the generation that status shows', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    const label = () =>
      python('import os, sys; print(os.getxattr(sys.argv[1], "user.dagmount.generation").decode())', [
        mount.target,
      ]);
    for (const content of ['two', 'three']) {
      await store.put('dags/a.py', content);
      assert.equal((await dagmount(['refresh', '--wait', '--socket', mount.socket()])).code, 0);
      const { generation } = await statusOf(mount);
      assert.equal(await label(), `${generation?.number}:${generation?.id}\n`);
    }
    const attributes = await python(
      'import os, sys; p = sys.argv[1] + "/a.py"; print(os.listxattr(p), *(os.getxattr(p, "user.dagmount." + n).decode() for n in sys.argv[2:]))',
      [mount.target, 'key', 'etag', 'last-modified'],
    );
    assert.match(attributes, /^\[\] dags\/a\.py [0-9a-f]{32} \d{4}-.*Z\n$/);
  });
});
