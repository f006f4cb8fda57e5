import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

/*
 * What another user of the host could have made is touched in src/host alone, which follows nothing, waits for nothing, and
 * acts with that user's rights. Here it is held that nothing goes around it.
 */

const sources = readdirSync(join(repository, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((file) => ({
    path: relative(repository, file).split(sep).join('/'),
    text: readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
  }));
const elsewhere = sources.filter(({ path }) => !path.startsWith('src/host/'));

function matching(pattern: RegExp): readonly string[] {
  return elsewhere.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

test('only src/host signals a process that it has not started, and becomes another user', () => {
  // `top` stops itself, a session that is stuck kills its own process, and a server its parent, while that is its supervisor.
  assert.deepEqual([...matching(/\bprocess\.kill\(/)].sort(), [
    'src/cli/top/screen.ts',
    'src/session/kernel/kernel-driver.ts',
    'src/takeover/running-supervisor.ts',
  ]);
  assert.deepEqual(matching(/\bprocess\.(set(e?[ug]id|groups)|initgroups)\b/), []);
});

test('whatever knows mounts of other users opens and removes no file by itself', () => {
  const knowing = elsewhere.filter(({ text }) => /\bfrom\s*'[^']*\/mount-state\.ts'/.test(text));
  assert.ok(knowing.length >= 8, knowing.map(({ path }) => path).join());
  const touching = knowing
    .filter(({ text }) => /from\s*'node:fs(\/promises)?'/.test(text))
    .map(({ path }) => path);
  // Whether the place of a mount is empty.
  assert.deepEqual([...touching].sort(), ['src/mount/mount-point.ts']);
  const guarded = [
    ['runtimeDirectoriesOf', ['src/cli/process-shell.ts']],
    [
      'readMountStates',
      ['src/cli/process-shell.ts', 'src/mount/mount-point.ts', 'src/takeover/orphaned-session.ts'],
    ],
  ] as const;
  for (const [name, users] of guarded)
    assert.deepEqual([...matching(new RegExp(`\\b${name}\\b`))].sort(), users);
});

test('every program of ours refuses a debugger before anything else is loaded', () => {
  // Workers are threads of these.
  const programs = ['src/cli/main.ts', 'src/entry/fuse-native-process.ts'];
  for (const path of programs) {
    const text = sources.find((source) => source.path === path)?.text ?? '';
    assert.match(text, /^(#!.*\n)?\s*import '\.\.?\/host\/no-debugger\.ts';/, path);
  }
  // What starts one names src/host/node-command.ts; the title of a process that stood by is none.
  assert.deepEqual(matching(/\bprocess\.execPath\b/), ['src/takeover/standby.ts']);
  assert.deepEqual(matching(/\bfork\(/), ['src/session/fuse-native/process-host.ts']);
});
