import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { collectDirectory, collectFile } from '../../src/deploy/source-files.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';

const root = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(root));

const options = { shows: () => true, excludes: () => false, signal: new AbortController().signal };

describe('the files of a directory', () => {
  const folder = (name: string, files: Readonly<Record<string, string>>): string => {
    const directory = join(root, name);
    writeTree(directory, files);
    return directory;
  };

  test('are all but what no release has', async () => {
    const directory = folder('left-out', {
      'a.py': 'a',
      'sub/b.py': 'b',
      'sub/.pyc': 'kept',
      'sub/b.pyc': '',
      'sub/__pycache__/b.cpython-311.pyc': '',
      '.git/config': '',
      'module/.git': 'gitdir: elsewhere',
      '.airflow-bundle-manifest.json': '',
      '.airflowignore': 'x',
      __pycache__x: '',
    });
    const files = await collectDirectory(directory, options);
    assert.deepEqual(files.map(({ path }) => path).sort(), [
      '.airflowignore',
      '__pycache__x',
      'a.py',
      'sub/.pyc',
      'sub/b.py',
    ]);
    const a = files.find(({ path }) => path === 'a.py');
    assert.equal(a?.sha256, createHash('sha256').update('a').digest('hex'));
    assert.equal(a?.size, 1);
  });

  test('have the execute bit of whichever may execute them', async () => {
    const directory = folder('bits', { run: '', read: '' });
    chmodSync(join(directory, 'run'), 0o610);
    const bits = (await collectDirectory(directory, options)).map(({ path, executable }) => [
      path,
      executable,
    ]);
    assert.deepEqual(Object.fromEntries(bits), { run: true, read: false });
  });

  test('leave out what the filters do not show, before it is opened', async () => {
    const directory = folder('filters', { 'a.py': '' });
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    const files = await collectDirectory(directory, { ...options, shows: (path) => path !== 'pipe' });
    assert.deepEqual(
      files.map(({ path }) => path),
      ['a.py'],
    );
  });

  test('of a link to a file inside are that file', async () => {
    const directory = folder('inside', { 'lib/a.py': 'content' });
    symlinkSync('lib/a.py', join(directory, 'link.py'));
    const files = await collectDirectory(directory, options);
    assert.equal(files.find(({ path }) => path === 'link.py')?.size, 7);
  });

  for (const [what, target] of [
    ['out of it', '../../etc/passwd'],
    ['to a directory', 'lib'],
    ['nowhere', 'missing'],
    ['to itself', 'link.py'],
    ['into .git', '.git/config'],
  ] as const) {
    test(`are refused where a link leads ${what}, by its path`, async () => {
      const directory = folder(`link ${what}`, { 'lib/a.py': '', '.git/config': 'secret' });
      symlinkSync(target, join(directory, 'link.py'));
      await assert.rejects(collectDirectory(directory, options), {
        code: 'unusable-source',
        message: /^cannot deploy link\.py:/,
      });
    });
  }

  test('are refused where one is a FIFO, without waiting for its writer', async () => {
    const directory = folder('fifo', {});
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    await assert.rejects(collectDirectory(directory, options), {
      code: 'unusable-source',
      message: /^cannot deploy pipe:/,
    });
  });

  for (const [what, path] of [
    ['a file', [0x61, 0xff]],
    ['a directory', [0xff, 0x2f, 0x61]],
  ] as const) {
    test(`are refused where the name of ${what} is not UTF-8, and that is the reason given`, async () => {
      const directory = folder(`not UTF-8: ${what}`, {});
      const file = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path)]);
      if (what === 'a directory') mkdirSync(file.subarray(0, -2));
      writeFileSync(file, '');
      await assert.rejects(collectDirectory(directory, options), {
        code: 'unusable-source',
        message: /its name is not UTF-8/,
      });
    });
  }

  test('of one that was named has its name, or the one that is given, and no link is followed', async () => {
    const directory = folder('one', { 'x.py': 'x' });
    assert.equal((await collectFile(join(directory, 'x.py'))).path, 'x.py');
    assert.equal((await collectFile(join(directory, 'x.py'), 'team/x.py')).path, 'team/x.py');
    symlinkSync('x.py', join(directory, 'y.py'));
    await assert.rejects(collectFile(join(directory, 'y.py')), { code: 'unusable-source' });
    await assert.rejects(collectFile(join(directory, 'x.py'), '../x.py'), { code: 'unusable-source' });
    for (const path of ['__pycache__/x.py', 'team/.git/x.py', 'x.pyc', '.git']) {
      await assert.rejects(collectFile(join(directory, 'x.py'), path), /no release has such a path/);
    }
    for (const path of ['.pyc', 'team/git/x.py']) await collectFile(join(directory, 'x.py'), path);
  });
});
