import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listenAt, MAX_PATH_BYTES } from '../../src/control/unix-socket.ts';
import { startChild } from '../support/child.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

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
});
