import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { checkPython, credentialsIn, runCommand } from '../../src/deploy/checks.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { exportRelease } from '../../src/deploy/export-release.ts';
import { descends, originOf } from '../../src/deploy/origin.ts';
import { readManifest } from '../../src/deploy/read-release.ts';
import { signPayload } from '../../src/deploy/sign-payload.ts';
import { collectDirectory } from '../../src/deploy/source-files.ts';
import { encodePayload, readAllowedSigners, verifyEnvelope } from '../../src/release/index.ts';
import { examplePayload } from '../release/example-payload.ts';
import { makeKey, missingSshKeygen } from '../release/ssh-keygen.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { writeTree } from '../support/write-tree.ts';
import { deployOptions } from './deploy-options.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const { signal } = new AbortController();

let folders = 0;
function folder(files: Readonly<Record<string, string>>): string {
  const path = join(directory, `folder-${folders++}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const collected = (path: string) =>
  collectDirectory(path, { shows: () => true, excludes: () => false, signal });

describe('the check of Python files', () => {
  test('names each that does not parse, with its line, and imports nothing', async () => {
    const path = folder({
      'good.py': 'import missing_module\nprint(f"{1 + 1}")\n',
      'bad.py': 'x = 1\ndef f(:\n',
      'nul.py': 'x = "\0"',
      'latin.py': '# -*- coding: latin-1 -*-\nx = 1\n',
      'ast.py': 'raise SystemExit("imported by the check")\n',
      'not-python.txt': 'def f(:',
    });
    const { findings, notes } = await checkPython(await collected(path), signal);
    assert.deepEqual(notes, []);
    assert.deepEqual(findings.map((one) => one.split(/[, ]/)[0]).sort(), ['bad.py', 'nul.py']);
    assert.match(findings.join('\n'), /bad\.py, line 2, does not parse/);
  });

  test('says so where there is no python3', async (t) => {
    const before = process.env.PATH;
    t.after(() => {
      process.env.PATH = before;
    });
    const files = await collected(folder({ 'a.py': '' }));
    process.env.PATH = directory;
    assert.match((await checkPython(files, signal)).notes.join(), /no python3/);
  });
});

test('a text that looks like a credential is reported', () => {
  assert.equal(credentialsIn('a', `key = "AKIA${'A'.repeat(16)}"`).length, 1);
  assert.equal(credentialsIn('a', 'postgresql://airflow:s3cr3tpass@db.example.com/x').length, 1);
  assert.deepEqual(
    credentialsIn('a', 'postgresql://{user}:{password}@db.example.com/x and AKIA_OF_SOMEBODY'),
    [],
  );
});

test('a command of the project gets the path as one argument, whatever it is called, and fails the deploy with its words', async () => {
  const path = folder({ '$(touch x); y.py': 'content' });
  await runCommand('cat {} >copy', '$(touch x); y.py', path, signal);
  assert.equal(readFileSync(join(path, 'copy'), 'utf8'), 'content');
  assert.throws(() => statSync(join(path, 'x')));
  await assert.rejects(runCommand('echo wrong with {}; exit 3', 'a', path, signal), {
    code: 'check-failed',
    message: /wrong with a/,
  });
  await assert.rejects(runCommand('no-such-linter {}', 'a', path, signal), {
    code: 'check-failed',
    message: /cannot be run: .*no-such-linter.*not found/,
    hint: /Install/,
  });
});

describe('who deploys, and from where', () => {
  const repository = folder({ 'a.py': '' });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=Zoe', '-c', 'user.email=z@e.com', ...args], {
      stdio: 'pipe',
    })
      .toString()
      .trim();
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Zoe');
  git('config', 'user.email', 'z@e.com');
  git('add', 'a.py');
  git('commit', '-q', '-m', 'First\n\nbody');
  const first = git('rev-parse', 'HEAD');
  git('commit', '-q', '--allow-empty', '-m', 'Second');
  const second = git('rev-parse', 'HEAD');

  test('are told by git', async () => {
    assert.deepEqual(await originOf(repository, {}, signal), {
      author: 'Zoe <z@e.com>',
      message: 'Second',
      commit: second,
      uncommitted: false,
      url: undefined,
    });
  });

  test('are told to have changes that the commit does not have', async () => {
    writeFileSync(join(repository, 'new.py'), 'x = 1');
    assert.equal((await originOf(repository, {}, signal)).uncommitted, true);
    rmSync(join(repository, 'new.py'));
    for (const left of ['__pycache__/a.cpython-312.pyc', 'team/__pycache__/b.txt', 'team/c.pyc'])
      writeTree(repository, { [left]: 'x' });
    assert.equal((await originOf(repository, {}, signal)).uncommitted, false, 'no release has these');
  });

  test('are told by the variables of a CI', async () => {
    const github = {
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'octocat',
      GITHUB_SHA: 'f'.repeat(40),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_RUN_ID: '7',
    };
    const found = await originOf(repository, github, signal);
    assert.deepEqual(
      [found.author, found.commit, found.url],
      ['octocat', 'f'.repeat(40), 'https://github.com/o/r/actions/runs/7'],
    );
    const gitlab = {
      GITLAB_CI: 'true',
      GITLAB_USER_NAME: 'Yves',
      GITLAB_USER_EMAIL: 'y@e.com',
      CI_JOB_URL: 'https://gitlab.example.com/1',
    };
    assert.equal((await originOf(repository, gitlab, signal)).author, 'Yves <y@e.com>');
  });

  test('tell whether a commit descends from another, where git knows both', async () => {
    assert.equal(await descends(repository, second, first, signal), true);
    assert.equal(await descends(repository, first, first, signal), true);
    assert.equal(await descends(repository, first, second, signal), false);
    assert.equal(await descends(repository, first, 'f'.repeat(40), signal), undefined);
    assert.equal(await descends(directory, first, second, signal), undefined);
  });
});

test('a payload is signed by ssh-keygen, and a missing key is reported', {
  skip: missingSshKeygen() ?? false,
}, async () => {
  const { file, publicKey } = makeKey(directory, 'key', ['ed25519']);
  const payload = encodePayload(examplePayload);
  const signature = await signPayload(file, 'zoe', payload, signal);
  const { signedBy } = verifyEnvelope(
    { payload, signatures: [signature] },
    readAllowedSigners(`zoe ${publicKey}`),
  );
  assert.equal(signedBy.length, 1);
  await assert.rejects(signPayload(join(directory, 'no-key'), 'zoe', payload, signal), {
    code: 'unsigned',
    message: /no-key/,
  });
});

test('a release is exported as a whole, with its execute bits, and never into a directory that has something', async () => {
  const store = new MemoryReleaseStore();
  const source = folder({ run: '#!/bin/sh\n', 'a.py': 'a', empty: '' });
  execFileSync('chmod', ['+x', join(source, 'run')]);
  const end = await deploy(
    { kind: 'tree', files: await collected(source) },
    deployOptions({ store, signal }),
  );
  assert.ok(end.kind === 'deployed');
  const manifest = await readManifest(store, end.step.payload, signal);
  const target = join(directory, 'exported');
  await exportRelease(manifest, target, { store, concurrency: 2, signal });
  assert.equal(readFileSync(join(target, 'a.py'), 'utf8'), 'a');
  assert.ok((statSync(join(target, 'run')).mode & 0o111) === 0o111);
  assert.equal(statSync(join(target, 'empty')).size, 0);
  await assert.rejects(exportRelease(manifest, target, { store, concurrency: 2, signal }), {
    code: 'ENOTEMPTY',
  });
  store.objects.delete([...store.objects.keys()].find((key) => key.startsWith('packs/'))!);
  await assert.rejects(exportRelease(manifest, join(directory, 'gone'), { store, concurrency: 2, signal }), {
    code: 'no-such-release',
  });
  assert.deepEqual(
    execFileSync('ls', ['-A', directory])
      .toString()
      .split('\n')
      .filter((name) => /export-|gone/.test(name)),
    [],
  );
});
