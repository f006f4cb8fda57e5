import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commandNames, shells } from '../../src/cli/commands.ts';
import { negationOf, optionNames } from '../../src/config/options/options.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { isMissing } from './is-missing.ts';
import { ran } from './recorded-shell.ts';

async function script(shell: string): Promise<string> {
  const { exitCode, out } = await ran(['completion', shell]);
  assert.equal(exitCode, 0);
  return out;
}

/** What bash offers to complete the last of these words. */
async function offers(words: readonly string[]): Promise<readonly string[]> {
  const program = `${await script('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dagmount; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', program, 'bash', ...words], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

for (const shell of shells) {
  describe(`the completion of ${shell}`, () => {
    test('names every command and every option', async () => {
      const text = await script(shell);
      const dashes = shell === 'fish' ? '-l ' : '--';
      for (const name of commandNames()) assert.match(text, new RegExp(`\\b${name}\\b`));
      for (const name of optionNames) {
        assert.ok(text.includes(dashes + name), name);
        const negation = negationOf(name);
        if (negation !== undefined) assert.ok(text.includes(dashes + negation), negation);
      }
    });

    test('is what the shell can read', { skip: isMissing(shell) }, async (t) => {
      // Through a file, because Node passes input through a socket, which fish refuses.
      const file = join(await temporaryDirectory(t), 'completion');
      await writeFile(file, await script(shell));
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });
  });
}

describe('bash', { skip: isMissing('bash') }, () => {
  test('completes commands', async () => {
    assert.deepEqual(await offers(['dagmount', 'mo']), ['mount']);
    assert.deepEqual(
      [...(await offers(['dagmount', '']))].sort(),
      [...commandNames(), '--help', '--version'].sort(),
    );
  });

  test('completes the options of the command', async () => {
    assert.deepEqual(await offers(['dagmount', 'mount', '--cache-']), ['--cache-dir', '--cache-size']);
    assert.deepEqual(await offers(['dagmount', 'list', '--']), ['--json', '--help']);
    assert.deepEqual(await offers(['dagmount', 'doctor', '--poll']), []);
  });

  test('completes the values that an option takes', async () => {
    assert.deepEqual(await offers(['dagmount', 'mount', '--driver', '']), ['auto', 'kernel', 'fuse-native']);
    assert.deepEqual(await offers(['dagmount', 'mount', '--prefetch', 'a']), ['all']);
    assert.deepEqual(await offers(['dagmount', 'mount', '--region', '']), []);
    assert.deepEqual(
      await offers(['dagmount', 'mount', '--ca-file', '/etc/host']),
      await existing('/etc/host'),
    );
  });

  test('completes directories, shells and commands as arguments', async () => {
    assert.ok((await offers(['dagmount', 'mount', 's3://b', '/et'])).includes('/etc'));
    assert.deepEqual(await offers(['dagmount', 'completion', 'z']), ['zsh']);
    assert.deepEqual(await offers(['dagmount', 'help', 'doc']), ['doctor']);
  });
});

async function existing(beginning: string): Promise<readonly string[]> {
  const { stdout } = spawnSync('bash', ['-c', 'compgen -f -- "$0"', beginning], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}
