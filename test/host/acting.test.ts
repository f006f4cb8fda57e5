import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { actingAs } from '../../src/host/acting-as.ts';
import { HeldDirectory } from '../../src/host/held-directory.ts';
import { HostError } from '../../src/host/host-error.ts';
import { pinSocket, removeSocket } from '../../src/host/pinned-socket.ts';
import { isRunning, processOf, signalProcess } from '../../src/host/process.ts';
import { startChild } from '../support/child.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const uid = process.geteuid?.() ?? 0;
const nobody = { uid: 65534, gid: 65534 };

describe('what root does for another user', {
  skip: uid === 0 ? false : 'needs root, to become another',
}, () => {
  test('is what that user may do, and no more; afterwards this process has all its rights again', async (t) => {
    const directory = await temporaryDirectory(t);
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'theirs'));
    writeFileSync(join(directory, 'theirs/file'), '');
    chownSync(join(directory, 'theirs'), nobody.uid, nobody.gid);
    writeFileSync(join(directory, 'ours'), '');
    const groups = process.getgroups?.();
    const held = HeldDirectory.open(join(directory, 'theirs'), nobody.uid);
    const own = HeldDirectory.open(directory, uid);
    actingAs(nobody, () => {
      held.remove('file');
      assert.throws(() => own.remove('ours'), HostError);
      assert.throws(() => writeFileSync(join(directory, 'new'), ''), { code: 'EACCES' });
    });
    assert.deepEqual(readdirSync(join(directory, 'theirs')), []);
    assert.ok(existsSync(join(directory, 'ours')));
    assert.deepEqual([process.geteuid?.(), process.getegid?.(), process.getgroups?.()], [0, 0, groups]);
    assert.throws(
      () =>
        actingAs(nobody, () => {
          throw new RangeError('x');
        }),
      RangeError,
    );
    assert.equal(process.geteuid?.(), 0);
    for (const each of [held, own]) each.close();
  });

  test('signals a process of that user, and none of root, whatever its state says', async (t) => {
    const start = (...command: readonly string[]) => {
      const child = startChild(command[0] as string, command.slice(1));
      defer(t, () => child.kill('SIGKILL'));
      return child;
    };
    const ours = start('sleep', '60');
    const as = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const theirs = start('setpriv', ...as, 'sleep', '60');
    const wanted = await waitFor('a process of nobody', () => {
      const id = { ...processOf(theirs.pid), uid: nobody.uid };
      return isRunning(id) ? id : undefined;
    });
    assert.ok(!isRunning({ ...wanted, uid: 0 }));
    for (const claimed of [0, nobody.uid]) {
      const id = { ...processOf(ours.pid), uid: claimed };
      assert.equal(signalProcess(id, 'SIGTERM', nobody), false, `root's, said to be of ${claimed}`);
    }
    const { startTicks = 0 } = wanted;
    assert.equal(signalProcess({ ...wanted, startTicks: startTicks + 1 }, 'SIGTERM', nobody), false);
    assert.equal(signalProcess({ pid: wanted.pid }, 'SIGTERM', nobody), false, 'its start is not known');
    assert.ok(isRunning(wanted) && isRunning({ pid: ours.pid }));
    assert.equal(signalProcess(wanted, 'SIGTERM', nobody), true);
    assert.deepEqual(await theirs.exit, { code: null, signal: 'SIGTERM' });
  });

  test('does not wait for what that user stops', async (t) => {
    const module = import.meta.resolve('../../src/host/process.js');
    const code = `
      const { runAs } = await import(${JSON.stringify(module)});
      process.exit(runAs(${JSON.stringify(nobody)}, 'kill -s STOP $$', [], 200) ? 1 : 0);`;
    const child = startChild(process.execPath, ['--input-type=module', '--eval', code]);
    defer(t, () => child.kill('SIGKILL'));
    await waitFor('the end of the process', () => child.process.exitCode !== null, 20_000);
    assert.equal(child.process.exitCode, 0);
  });
});

describe('a socket of a user', () => {
  test('is connected to as it was found, and removed only where it is one, of that user', async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, 's');
    const server = createServer((socket) => socket.end('hello'));
    defer(t, () => void server.close());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    writeFileSync(join(directory, 'file'), '');
    const codeOf = (act: () => unknown): unknown => {
      try {
        act();
        return undefined;
      } catch (error) {
        return (error as HostError).code;
      }
    };
    assert.equal(
      codeOf(() => pinSocket(path, uid + 1)),
      'other-owner',
    );
    assert.equal(
      codeOf(() => pinSocket(join(directory, 'file'), uid)),
      'no-socket',
    );
    assert.equal(
      codeOf(() => pinSocket(join(directory, 'missing/s'), uid)),
      'missing',
    );
    const pinned = pinSocket(path, uid);
    assert.equal(await greeting(pinned.address), 'hello');
    pinned.close();
    for (const odd of ['/', `${directory}/..`, '', 'x', `${directory}/\0`]) {
      assert.match(String(codeOf(() => pinSocket(odd, uid))), /^(no-socket|missing)$/);
      removeSocket(odd, uid);
    }
    for (const name of ['file', 'missing']) removeSocket(join(directory, name), uid);
    removeSocket(path, uid + 1);
    assert.deepEqual(readdirSync(directory).sort(), ['file', 's']);
    removeSocket(path, uid);
    assert.deepEqual(readdirSync(directory), ['file']);
  });
});

async function greeting(path: string): Promise<string> {
  const { createConnection } = await import('node:net');
  const socket = createConnection({ path });
  let text = '';
  for await (const part of socket.setEncoding('utf8')) text += part;
  return text;
}
