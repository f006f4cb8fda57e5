import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { asking, dagmount, type Mount, mountImpossible } from '../support/mount.ts';
import { python, shell, startReader } from '../support/reader.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

/** The daemon publishes only when asked, and has published once it answers. */
const onDemand = { args: ['--poll-interval', '1h'] };

async function refresh(mount: Mount): Promise<void> {
  const { code, stderr } = await dagmount(['refresh', '--wait', ...asking(mount)]);
  assert.equal(code, 0, stderr);
}

const mtime = async (mount: Mount, path: string): Promise<bigint> =>
  BigInt(await python('import os, sys; print(os.stat(sys.argv[1]).st_mtime_ns)', [`${mount.tree}/${path}`]));
const seconds = (ns: bigint): bigint => ns / 1_000_000_000n;

describe('what Python makes of an mtime', { skip: mountImpossible }, () => {
  test('an edit of the same size, right after the one before, is not hidden by a cached .pyc', async (t) => {
    const store = await openStore(t, new Map([['dag.py', 'value = 0\n']]));
    const mount = await mountStore(t, store, onDemand);
    const cache = await temporaryDirectory(t);
    // The mount is read-only: Python writes the bytecode elsewhere, as operators of Airflow configure it.
    const env = { PYTHONDONTWRITEBYTECODE: '', PYTHONPYCACHEPREFIX: cache };
    const imported = (): Promise<string> =>
      python('import sys; sys.path.insert(0, sys.argv[1]); import dag; print(dag.value)', [mount.tree], {
        env,
      });
    assert.equal(await imported(), '0\n');
    const compiled = readdirSync(cache, { recursive: true }).filter((name) =>
      /\bdag\..*pyc$/.test(String(name)),
    );
    assert.equal(compiled.length, 1, 'the import is of what was compiled before');
    for (let value = 1; value < 6; value++) {
      await store.put('dags/dag.py', `value = ${value}\n`);
      await refresh(mount);
      assert.equal(await imported(), `${value}\n`);
    }
  });

  test('a new module in a package can be imported by a process that imported the package before', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['pkg/__init__.py', ''],
        ['pkg/old.py', 'value = "old"\n'],
      ]),
    );
    const mount = await mountStore(t, store, onDemand);
    // After the failed import, importlib remembers the listing of the package, by the mtime of its directory.
    const script = [
      'import sys',
      'sys.path.insert(0, sys.argv[1])',
      'import pkg.old',
      'try:',
      '    import pkg.new',
      'except ModuleNotFoundError:',
      '    print("missing", flush=True)',
      'sys.stdin.readline()',
      'import pkg.new',
      'print(pkg.new.value)',
    ].join('\n');
    const reader = startReader('python3', ['-c', script, mount.tree], { stdin: 'pipe' });
    await waitFor('the first import', () => reader.stdout() === 'missing\n');
    await store.put('dags/pkg/new.py', 'value = "new"\n');
    await refresh(mount);
    reader.tell('go on');
    const { stdout, stderr } = await reader.done;
    assert.equal(stdout, 'missing\nnew\n', stderr);
  });
});

describe('an mtime', { skip: mountImpossible, concurrency: 4 }, () => {
  test('rises by whole seconds with every version, a roll-back and a return after deletion included', async (t) => {
    const others = Array.from({ length: 3 }, (_, index) => [`other_${index}.py`, ''] as const);
    const store = await openStore(t, new Map([['a.py', 'one'], ...others]));
    const mount = await mountStore(t, store, onDemand);
    const seen = [seconds(await mtime(mount, 'a.py'))];
    for (const content of ['two', 'one', undefined, 'one', 'two']) {
      if (content === undefined) await store.delete('dags/a.py');
      else await store.put('dags/a.py', content);
      await refresh(mount);
      if (content === undefined) continue;
      assert.equal(await shell(mount.tree, 'cat a.py'), content);
      seen.push(seconds(await mtime(mount, 'a.py')));
    }
    for (const [at, second] of seen.entries()) {
      assert.ok(at === 0 || second > seen[at - 1]!, `${second} follows ${seen[at - 1]}`);
    }
  });

  test('stays where the same content is put again', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['a.py', 'one'],
        ['b.py', 'b'],
      ]),
    );
    const mount = await mountStore(t, store, onDemand);
    await store.put('dags/a.py', 'two');
    await refresh(mount);
    const look = (): Promise<string> => shell(mount.tree, 'stat -c "%i %.9Y" a.py');
    const before = await look();
    await store.put('dags/a.py', 'two');
    await store.put('dags/b.py', 'c');
    await refresh(mount);
    assert.equal(await look(), before);
  });

  test('is never in the future once it is published, and no two publications share a second', async (t) => {
    const store = await openStore(t, new Map([['first.py', '']]));
    const mount = await mountStore(t, store, onDemand);
    // Prints everything below the mount point whose mtime is ahead of the clock.
    const ahead = [
      'import os, sys, time',
      'for root, directories, files in os.walk(sys.argv[1]):',
      '    for path in [root] + [os.path.join(root, name) for name in files]:',
      '        stat = os.stat(path)',
      '        if stat.st_mtime_ns > time.time_ns(): print(path, stat.st_mtime_ns - time.time_ns())',
    ].join('\n');
    assert.equal(await python(ahead, [mount.tree]), '');
    const found = new Set<bigint>();
    for (let file = 0; file < 5; file++) {
      await store.put(`dags/folder/new_${file}.py`, '');
      await refresh(mount);
      assert.equal(await python(ahead, [mount.tree]), '');
      found.add(seconds(await mtime(mount, `folder/new_${file}.py`)));
    }
    assert.equal(found.size, 5);
  });

  test('of a directory changes with a name in it that comes, goes or changes, and with no other', async (t) => {
    const store = await openStore(
      t,
      new Map([
        ['one/a.py', ''],
        ['one/deep/b.py', ''],
        ['two/c.py', ''],
        ['two/d.py', ''],
      ]),
    );
    const mount = await mountStore(t, store, onDemand);
    const directories = ['.', 'one', 'one/deep', 'two'];
    const look = async (): Promise<ReadonlyMap<string, string>> => {
      const times = (await shell(mount.tree, `stat -c %.9Y ${directories.join(' ')}`)).trimEnd().split('\n');
      return new Map(directories.map((path, index) => [path, times[index] ?? '']));
    };
    const steps: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
      [() => store.put('dags/one/new.py', ''), ['one']],
      [() => store.put('dags/one/deep/b.py', 'changed'), ['one/deep']],
      [() => store.delete('dags/two/d.py'), ['two']],
      [() => store.put('dags/root.py', ''), ['.']],
      [() => store.put('dags/three/e.py', ''), ['.']],
      [() => store.delete('dags/three/e.py'), ['.']],
    ];
    let before = await look();
    for (const [change, touched] of steps) {
      await change();
      await refresh(mount);
      const after = await look();
      const changed = directories.filter((path) => after.get(path) !== before.get(path));
      assert.deepEqual(changed, touched);
      for (const path of touched) assert.ok(Number(after.get(path)) > Number(before.get(path)));
      before = after;
    }
  });
});
