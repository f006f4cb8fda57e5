import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

/*
 * Only src/host touches what another user of the host could have made. It follows no link, waits for nothing, and acts
 * with that user's rights. These tests check that no other code does this by itself.
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
  // `top` stops itself, a stuck session kills its own process, and a server kills its parent if that is its supervisor.
  assert.deepEqual([...matching(/\bprocess\.kill\(/)].sort(), [
    'src/cli/top/screen.ts',
    'src/session/kernel/kernel-driver.ts',
    'src/takeover/supervisor/running-supervisor.ts',
  ]);
  assert.deepEqual(matching(/\bprocess\.(set(e?[ug]id|groups)|initgroups)\b/), []);
});

test('whatever knows mounts of other users opens and removes no file by itself', () => {
  const knowing = elsewhere.filter(({ text }) => /\bfrom\s*'[^']*\/mount-state\.ts'/.test(text));
  assert.ok(knowing.length >= 8, knowing.map(({ path }) => path).join());
  const touching = knowing
    .filter(({ text }) => /from\s*'node:fs(\/promises)?'/.test(text))
    .map(({ path }) => path);
  // This file only checks whether a mount point is empty.
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
  // Workers are threads of these programs.
  const programs = ['src/cli/main.ts', 'src/entry/fuse-native-process.ts'];
  for (const path of programs) {
    const text = sources.find((source) => source.path === path)?.text ?? '';
    assert.match(text, /^(#!.*\n)?\s*import '\.\.?\/host\/no-debugger\.ts';/, path);
  }
  // Code that starts a program uses src/host/node-command.ts. standby-server.ts needs the path only for the process title.
  assert.deepEqual(matching(/\bprocess\.execPath\b/), ['src/takeover/standby-server.ts']);
  assert.deepEqual(matching(/\bfork\(/), ['src/session/fuse-native/process-host.ts']);
});
