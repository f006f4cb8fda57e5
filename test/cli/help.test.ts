import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandNames, commands } from '../../src/cli/commands.ts';
import { negationOf, optionNames, optionOf, variableOf } from '../../src/config/options/options.ts';
import { ran } from './recorded-shell.ts';

describe('help', () => {
  test('lists every command', async () => {
    for (const args of [['help'], ['--help'], ['-h']]) {
      const { exitCode, out, err } = await ran(args);
      assert.equal(exitCode, 0);
      assert.equal(err, '');
      for (const { name, summary } of commands) assert.match(out, new RegExp(`^  ${name} +${summary}`, 'm'));
    }
  });

  for (const name of commandNames()) {
    test(`explains ${name} in three ways, with its usage and the exit codes`, async () => {
      const { exitCode, out } = await ran(['help', name]);
      assert.equal(exitCode, 0);
      assert.match(out, new RegExp(`^  dagmount ${name}( |$)`, 'm'));
      assert.match(out, /^ {2}78 {2}/m);
      assert.match(out, /^Documentation: /m);
      for (const args of [
        [name, '--help'],
        [name, '--no-such-flag', '-h'],
      ]) {
        assert.deepEqual(await ran(args), { exitCode: 0, out, err: '' });
      }
    });
  }

  test('of mount lists every option with its default, its variable and how it is turned off', async () => {
    const { out } = await ran(['help', 'mount']);
    const text = out.replace(/\s+/g, ' ');
    for (const name of optionNames) {
      const { help, default: fallback } = optionOf(name);
      assert.ok(text.includes(`${variableOf(name)} ${help}. Default: ${fallback}.`), name);
      const negation = negationOf(name);
      const heading =
        negation === undefined
          ? `--${name} `
          : negation === `no-${name}`
            ? `--[no-]${name} `
            : `--${name} | --${negation} `;
      assert.ok(text.includes(heading), heading);
    }
  });

  test('of doctor lists the options of the store and not those of a mount', async () => {
    const { out } = await ran(['help', 'doctor']);
    assert.match(out, /--endpoint-url URL/);
    assert.match(out, /--json/);
    assert.doesNotMatch(out, /--poll-interval/);
  });

  test('is no wider than a terminal, but for what is to be copied', async () => {
    const { out } = await ran(['help', 'mount']);
    const wide = out.split('\n').filter((line) => line.length > 100 && !line.startsWith('  dagmount '));
    assert.deepEqual(wide, []);
  });

  test('after -- is an argument like any other', async () => {
    assert.equal((await ran(['unmount', '--', '--help'])).exitCode, 66);
  });
});
