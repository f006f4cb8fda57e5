import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listenAt, MAX_PATH_BYTES } from '../../src/control/http/unix-socket.ts';
import { type BoundSocket, isAnswered } from '../../src/host/bound-socket.ts';
import { startChild } from '../support/child.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { TestServer } from './fixture.ts';

const uid = process.geteuid?.() ?? 0;
const asRoot = uid === 0 ? false : 'only root can give things away';

function newServer(test: Cleanup): Server {
  const server = createServer((_, response) => response.end('here'));
  defer(test, () => {
    server.close();
  });
  return server;
}

function placeAt(path: string, mode = 0o600, gid: number | undefined = undefined) {
  return { path, mode, gid, uid };
}

describe('the socket', () => {
  test('has its mode and its group, and nothing else is left beside it', async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, 's.sock');
    const gid = uid === 0 ? 12_345 : (process.getegid?.() ?? 0);
    const remove = await listenAt(newServer(t), placeAt(path, 0o660, gid));
    const stats = statSync(path);
    assert.ok(stats.isSocket());
    assert.deepEqual([stats.mode & 0o777, stats.uid, stats.gid], [0o660, uid, gid]);
    assert.deepEqual(readdirSync(directory), ['s.sock']);
    remove();
    assert.deepEqual(readdirSync(directory), []);
  });

  test('may have a path of 107 bytes, and no longer one', async (t) => {
    const directory = await temporaryDirectory(t);
    const longest = join(directory, 'x'.repeat(MAX_PATH_BYTES - Buffer.byteLength(directory) - 1));
    assert.equal(Buffer.byteLength(longest), 107);
    await listenAt(newServer(t), placeAt(longest));
    await assert.rejects(listenAt(newServer(t), placeAt(`${longest}x`)), { code: 'socket-too-long' });
  });

  test('replaces the one that a dead daemon left', async (t) => {
    const path = join(await temporaryDirectory(t), 's.sock');
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await startChild(process.execPath, ['-e', program], {}).exit;
    assert.ok(existsSync(path));
    await listenAt(newServer(t), placeAt(path));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('of a daemon that runs is left alone', async (t) => {
    const path = join(await temporaryDirectory(t), 's.sock');
    await listenAt(newServer(t), placeAt(path));
    const before = statSync(path).ino;
    await assert.rejects(listenAt(newServer(t), placeAt(path)), { code: 'socket-in-use' });
    assert.equal(statSync(path).ino, before);
  });

  test('does not replace what is no socket, nor follow a link', async (t) => {
    const directory = await temporaryDirectory(t);
    writeFileSync(join(directory, 'file'), 'precious');
    mkdirSync(join(directory, 'directory'));
    symlinkSync(join(directory, 'nothing'), join(directory, 'link'));
    for (const name of ['file', 'directory', 'link']) {
      await assert.rejects(listenAt(newServer(t), placeAt(join(directory, name))), { code: 'socket-unsafe' });
    }
  });

  test('is not made where others could replace it', async (t) => {
    const directory = await temporaryDirectory(t);
    chmodSync(directory, 0o777);
    await assert.rejects(listenAt(newServer(t), placeAt(join(directory, 's'))), { code: 'socket-unsafe' });
    chmodSync(directory, 0o1777);
    await listenAt(newServer(t), placeAt(join(directory, 's')));
  });

  test('is not made beside or over what belongs to another user', { skip: asRoot }, async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, 's.sock');
    await listenAt(newServer(t), placeAt(path));
    chownSync(path, 12_345, 12_345);
    await assert.rejects(listenAt(newServer(t), placeAt(path)), { code: 'socket-unsafe' });
    chownSync(directory, 12_345, 12_345);
    await assert.rejects(listenAt(newServer(t), placeAt(join(directory, 'other'))), {
      code: 'socket-unsafe',
    });
  });

  test('needs a directory', async (t) => {
    const path = join(await temporaryDirectory(t), 'missing/s.sock');
    await assert.rejects(listenAt(newServer(t), placeAt(path)), { code: 'socket-unusable' });
  });

  test('that another has put in its place is not taken away', async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, 's.sock');
    const server = newServer(t);
    const remove = await listenAt(server, placeAt(path));
    await new Promise((resolve) => server.close(resolve));
    await listenAt(newServer(t), placeAt(path));
    remove();
    assert.ok(existsSync(path));
  });

  test('stays when its server ends and leaves it to a successor: clients wait, and do not fail', async (t) => {
    const path = join(await temporaryDirectory(t), 's.sock');
    let keeper: ChildProcess | undefined;
    // Keeps the listening descriptor, as a supervisor does.
    const onListening = (fd: number): void => {
      keeper = spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    };
    defer(t, () => void keeper?.kill());
    const server = await TestServer.start(t, {}, { socket: { ...placeAt(path), onListening } });
    await server.close({ leavesSocket: true });
    assert.ok(await isAnswered(path));
    await server.close({ leavesSocket: false });
    assert.ok(!existsSync(path));
  });

  describe('that a predecessor left', () => {
    /** A server that listens at a path, as its successor finds it. */
    async function predecessor(t: Cleanup, path: string) {
      const server = newServer(t);
      const made: { fd: number; at: BoundSocket }[] = [];
      await listenAt(server, { ...placeAt(path), onListening: (fd, at) => made.push({ fd, at }) });
      const [{ fd, at } = assert.fail('nothing listens')] = made;
      let left = false;
      const leave = (): void => {
        left = true;
        server.close();
      };
      return { former: at, inherited: { fd, leave }, isLeft: () => left };
    }

    test('elsewhere is let go of, and its file removed', async (t) => {
      const directory = await temporaryDirectory(t);
      const { former, inherited, isLeft } = await predecessor(t, join(directory, 'old.sock'));
      await listenAt(newServer(t), { ...placeAt(join(directory, 'new.sock')), former, inherited });
      assert.ok(isLeft());
      assert.deepEqual(readdirSync(directory), ['new.sock']);
    });

    test('elsewhere without a word is removed if nobody listens there', async (t) => {
      const directory = await temporaryDirectory(t);
      const runs = await predecessor(t, join(directory, 'runs.sock'));
      await listenAt(newServer(t), { ...placeAt(join(directory, 'a.sock')), former: runs.former });
      assert.deepEqual(readdirSync(directory), ['a.sock', 'runs.sock']);
      runs.inherited.leave();
      // At its close, Node.js removes the name under which it made the socket, not this one.
      await listenAt(newServer(t), { ...placeAt(join(directory, 'b.sock')), former: runs.former });
      assert.deepEqual(readdirSync(directory), ['a.sock', 'b.sock']);
    });

    test('elsewhere stays where another is there by now', async (t) => {
      const directory = await temporaryDirectory(t);
      const old = join(directory, 'old.sock');
      const { former, inherited } = await predecessor(t, old);
      rmSync(old);
      writeFileSync(old, 'of somebody else');
      await listenAt(newServer(t), { ...placeAt(join(directory, 'new.sock')), former, inherited });
      assert.deepEqual(readdirSync(directory), ['new.sock', 'old.sock']);
    });

    test('by a descriptor of another socket is not gone on with', async (t) => {
      const directory = await temporaryDirectory(t);
      const path = join(directory, 's.sock');
      const { inherited, isLeft } = await predecessor(t, join(directory, 'other.sock'));
      const { former, inherited: here } = await predecessor(t, path);
      here.leave();
      const told: BoundSocket[] = [];
      const onListening = (_: number, at: BoundSocket): void => {
        told.push(at);
      };
      await listenAt(newServer(t), { ...placeAt(path), former, inherited, onListening });
      assert.ok(isLeft());
      assert.notEqual(told[0]?.socket, former.socket);
      assert.equal(told[0]?.file[1], statSync(path).ino);
    });
  });
});
