import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDebugged, NO_DEBUGGER, nodeCommand } from '../../src/host/node-command.ts';
import { fakeDaemon } from '../cli/fake-daemon.ts';
import { startChild } from '../support/child.ts';
import { listeningPorts } from '../support/listening.ts';
import { repository } from '../support/repository.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const cli = join(repository, 'dist/bundle/cli/main.js');
const signalled =
  'process.on("SIGUSR2", () => console.log("alive")); setInterval(() => {}, 1000); console.log("up")';

describe('SIGUSR1, which has Node.js open its debugger to every user of the host', () => {
  test('does nothing to a command that runs', async (t) => {
    let asked = 0;
    const { socket } = await fakeDaemon(t, {
      'GET /v1/events': (_, response) => {
        asked += 1;
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(': hello\n\n');
        return undefined;
      },
    });
    const child = startChild(process.execPath, [cli, 'events', '--socket', socket]);
    defer(t, () => child.kill('SIGKILL'));
    await waitFor('the command to ask', () => asked === 1);
    for (let times = 0; times < 20; times++) {
      child.kill('SIGUSR1');
      await delay(10);
      assert.deepEqual(listeningPorts(child.pid), []);
    }
    assert.doesNotMatch(child.stderr(), /Debugger/);
  });

  test('leaves no debugger open where it came before the first line of the program', async (t) => {
    const { socket } = await fakeDaemon(t, {
      'GET /v1/events': (_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('id: 1\nevent: restart\ndata: {"kind":"restart"}\n\n');
        return undefined;
      },
    });
    for (const wait of [15, 20, 25, 30, 35, 40]) {
      const child = startChild(process.execPath, [cli, 'events', '--json', '--socket', socket]);
      defer(t, () => child.kill('SIGKILL'));
      await delay(wait);
      child.kill('SIGUSR1');
      // Before Node.js handles SIGUSR1, the signal ends the process, as it ends any process.
      const hasEnded = (): boolean => child.process.exitCode !== null || child.process.signalCode !== null;
      await waitFor('an event, or its end', () => hasEnded() || child.stdout().includes('\n'));
      if (hasEnded()) continue;
      await waitFor('no debugger', () => listeningPorts(child.pid).length === 0);
      child.kill('SIGKILL');
    }
  });

  test('finds no address to listen at in a process that we start, from its beginning on', async (t) => {
    const [program, ...options] = nodeCommand({ execPath: process.execPath, execArgv: [], env: {} });
    const child = startChild(program, [...options, '-e', signalled]);
    defer(t, () => child.kill('SIGKILL'));
    await waitFor('its start', () => child.stdout() === 'up\n');
    child.kill('SIGUSR1');
    await waitFor('the debugger to fail', () => child.stderr().includes('failed: address not available'));
    assert.deepEqual(listeningPorts(child.pid), []);
    child.kill('SIGUSR2');
    await waitFor('it to go on', () => child.stdout() === 'up\nalive\n');
  });
});

test('the options of Node.js are passed on, and a debugger that the operator asked for is left', () => {
  const command = (execArgv: readonly string[], NODE_OPTIONS?: string) =>
    nodeCommand({ execPath: 'node', execArgv: [...execArgv], env: { NODE_OPTIONS } });
  assert.deepEqual(command([]), ['node', NO_DEBUGGER]);
  assert.deepEqual(command(['--max-old-space-size=99', NO_DEBUGGER]), [
    'node',
    '--max-old-space-size=99',
    NO_DEBUGGER,
  ]);
  assert.deepEqual(command(['--inspect']), ['node', '--inspect']);
  assert.deepEqual(command([], '--a --inspect-brk=9999'), ['node']);
  assert.equal(isDebugged({ execArgv: [NO_DEBUGGER], env: {} }), false);
  assert.equal(isDebugged({ execArgv: [], env: { NODE_OPTIONS: '--inspect-port=1234' } }), true);
});
