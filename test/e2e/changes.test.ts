import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { shell, startReader } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

const claimed = ['--poll-interval', '2s', '--settle', '0'];

describe('promise 3, published means visible: a change in the store', { skip: mountImpossible }, () => {
  test('is seen by a new open and by stat', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', 'old'],
        ['b.py', 'untouched'],
      ]),
    );
    const mount = await mountStore(t, store, { args: claimed });
    const look = (): Promise<string> => shell(mount.tree, 'cat a.py; stat -c " %s" a.py');
    assert.equal(await look(), 'old 3\n');
    const before = await shell(mount.tree, 'stat -c %Y a.py b.py');
    await store.put('dags/a.py', 'newer!');
    await waitFor('the new content', async () => (await look()) === 'newer! 6\n');
    const [oldTime, untouched] = before.split('\n');
    const [newTime, same] = (await shell(mount.tree, 'stat -c %Y a.py b.py')).split('\n');
    assert.ok(Number(newTime) > Number(oldTime), `${newTime} is later than ${oldTime}, in whole seconds`);
    assert.equal(same, untouched);
  });

  test('of the same size, within the same second, is seen', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'one']]));
    const mount = await mountStore(t, store);
    for (const content of ['two', 'six', 'ten']) {
      await store.put('dags/a.py', content);
      await waitFor(`"${content}"`, async () => (await shell(mount.tree, 'cat a.py')) === content);
    }
  });

  test('leaves a reader that holds the old file open its old bytes, to the end', async (t) => {
    const old = 'old line\n'.repeat(100_000);
    const store = await openStore(t, new Map([['a.py', old]]));
    const mount = await mountStore(t, store, { args: claimed });
    const script = [
      'import os, sys',
      'fd = os.open(sys.argv[1] + "/a.py", os.O_RDONLY)',
      'head = os.read(fd, 4096)',
      'print("open", flush=True)',
      'sys.stdin.readline()',
      'parts = [head]',
      'while chunk := os.read(fd, 4096): parts.append(chunk)',
      'all = b"".join(parts)',
      'print(all == b"old line\\n" * 100000, open(sys.argv[1] + "/a.py").read(3))',
    ].join('\n');
    const reader = startReader('python3', ['-c', script, mount.tree], { stdin: 'pipe' });
    await waitFor('the reader to have opened the file', () => reader.stdout() === 'open\n');
    await store.put('dags/a.py', 'new');
    await waitFor('the new content', async () => (await shell(mount.tree, 'head -c 3 a.py')) === 'new');
    reader.tell('go');
    assert.equal((await reader.done).stdout, 'open\nTrue new\n');
  });

  test('that adds or removes a file is seen in a directory that was listed before', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['pkg/a.py', ''],
        ['pkg/b.py', ''],
        ['c.py', ''],
        ['d.py', ''],
      ]),
    );
    const mount = await mountStore(t, store, { args: claimed });
    const look = (): Promise<string> => shell(mount.tree, 'ls pkg | tr "\\n" " "');
    assert.equal(await look(), 'a.py b.py ');
    const before = await shell(mount.tree, 'stat -c %.9Y pkg');
    await store.put('dags/pkg/c.py', '');
    await waitFor('the added file', async () => (await look()) === 'a.py b.py c.py ');
    assert.notEqual(await shell(mount.tree, 'stat -c %.9Y pkg'), before);
    await store.delete('dags/pkg/a.py');
    await waitFor('the removal', async () => (await look()) === 'b.py c.py ');
    assert.equal(
      await shell(mount.tree, 'cat pkg/a.py 2>&1 || true'),
      'cat: pkg/a.py: No such file or directory\n',
    );
  });

  test('is seen at a path that was looked up before it existed', async (t) => {
    const store = await openStore(t, new Map([['a.py', '']]));
    const mount = await mountStore(t, store, { args: claimed });
    const look = (): Promise<string> => shell(mount.tree, 'cat new.py deep/er/new.py 2>/dev/null || true');
    assert.equal(await look(), '');
    await store.put('dags/new.py', 'here');
    await store.put('dags/deep/er/new.py', ' too');
    await waitFor('both new files', async () => (await look()) === 'here too');
  });

  test('that turns a file into a directory, and back, is seen', async (t) => {
    const others = Array.from({ length: 12 }, (_, index) => [`other_${index}.py`, ''] as const);
    const store = await openStore(t, new Map([['thing', 'file'], ...others]));
    const mount = await mountStore(t, store);
    const look = (): Promise<string> =>
      shell(mount.tree, 'stat -c %F thing; cat thing/x.py 2>/dev/null || true');
    assert.equal(await look(), 'regular file\n');
    await store.delete('dags/thing');
    await store.put('dags/thing/x.py', 'inside');
    await waitFor('the directory', async () => (await look().catch(() => '')) === 'directory\ninside');
    await store.delete('dags/thing/x.py');
    await store.put('dags/thing', 'file again');
    await waitFor('the file', async () => (await look().catch(() => '')) === 'regular file\n');
    assert.equal(await shell(mount.tree, 'cat thing'), 'file again');
  });

  test('is looked for at once on SIGHUP', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'old']]));
    const mount = await mountStore(t, store, { args: ['--poll-interval', '1h'] });
    await store.put('dags/a.py', 'new');
    mount.kill('SIGHUP');
    await waitFor('the new content', async () => (await shell(mount.tree, 'cat a.py')) === 'new');
  });
});
