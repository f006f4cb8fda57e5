import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { environment } from '../config/host-environment.ts';
import { ran, recordingOutput } from './recorded-shell.ts';

describe('the command line', () => {
  test('without a command, with an unknown one, and with arguments too few or too many is refused with 64', async () => {
    const wrong = [
      [],
      ['frobnicate'],
      ['mount'],
      ['mount', 's3://b'],
      ['mount', 's3://b', '/x', '/y'],
      ['mount', '', '/x'],
      ['mount', 's3://b', ''],
      ['mount', 's3://b', '/'],
      ['mount', 'b', '/x'],
      ['unmount'],
      ['unmount', '/x', '/y'],
      ['list', 'x'],
      ['list', '--frob'],
      ['doctor', 's3://b', 'x'],
      ['doctor', 'b'],
      ['doctor', '--poll-interval', '3s'],
      ['help', 'frobnicate'],
      ['version', '--frob'],
      ['completion'],
      ['completion', 'powershell'],
    ];
    for (const args of wrong) {
      const { exitCode, out, err } = await ran(args);
      assert.equal(exitCode, exitCodes.usage, `${args.join(' ')}: ${err}`);
      assert.match(err, /^dagmount: .+\.\n.+\n$/, args.join(' '));
      assert.equal(out, '', args.join(' '));
    }
  });

  test('with a command that is nearly one says which may be meant', async () => {
    assert.match((await ran(['mont'])).err, /Did you mean dagmount mount\?/);
    assert.match((await ran(['umuont'])).err, /Did you mean dagmount u(n|)mount\?/);
    assert.match((await ran(['completion', 'bsh'])).err, /Did you mean bash\?/);
  });

  test('asks for the version in two ways', async () => {
    for (const args of [['version'], ['--version']]) {
      const { exitCode, out } = await ran(args);
      assert.equal(exitCode, 0);
      assert.match(out, /^dagmount \d+\.\d+\.\d+/);
    }
  });

  test('shows where an error came from only with --log-level debug', async () => {
    const broken = {
      readMounts: () => {
        throw new Error('boom');
      },
    };
    const plain = await ran(['unmount', '/x'], broken);
    assert.equal(plain.exitCode, exitCodes.software);
    assert.match(plain.err, /^dagmount: Internal error: boom\.\n.*--log-level debug/);
    assert.doesNotMatch(plain.err, /^\s+at /m);
    const env = { DAGMOUNT_LOG_LEVEL: 'debug' };
    const told = await ran(['unmount', '/x'], { ...broken, environment: environment({ env }) });
    assert.match(told.err, /^\s+at /m);
    assert.match((await ran(['mount', '--log-level', 'debug'])).err, /^\s+at /m);
    assert.match((await ran(['mount', '--log-level=trace'])).err, /^\s+at /m);
  });

  test('has no colours but where they are wanted', async () => {
    let painted = '';
    const write = (text: string) => {
      painted += text;
    };
    await ran(['help'], { out: recordingOutput(write, { isTerminal: true, colours: true }) });
    assert.ok(painted.includes('\u001b[1m'));
    assert.ok(!(await ran(['help'])).out.includes('\u001b'));
  });
});

describe('mount --print-config', () => {
  test('prints what would hold and why, and loads no server', async () => {
    const { exitCode, out, err } = await ran(
      ['mount', 's3://b/p', 'dags', '--poll-interval', '3s', '--print-config'],
      { environment: environment({ env: { DAGMOUNT_CONCURRENCY: '7' } }) },
    );
    assert.equal(exitCode, 0, err);
    assert.match(out, /^# dagmount mount s3:\/\/b\/p\/ \/srv\/here\/dags$/m);
    assert.match(out, /^poll-interval: 3s +# flag --poll-interval$/m);
    assert.match(out, /^concurrency: 7 +# environment DAGMOUNT_CONCURRENCY$/m);
  });

  test('refuses what mount would refuse', async () => {
    const { exitCode, err } = await ran([
      'mount',
      's3://b/p',
      '/x',
      '--print-config',
      '--cache-size',
      'lots',
    ]);
    assert.equal(exitCode, exitCodes.config);
    assert.match(err, /^dagmount: --cache-size cannot be "lots"\.\nAllowed: a size/);
  });
});
