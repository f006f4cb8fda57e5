import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findLockHolders } from '../../../src/session/kernel/lock-holders.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const { signal } = new AbortController();
const uid = process.getuid?.() ?? 0;

interface FakeThread {
  readonly tid?: number;
  /** Undefined: this file may not be read. */
  readonly syscall?: string;
  readonly fds?: Readonly<Record<number, string>>;
}

function fakeProcess(
  proc: string,
  pid: number,
  command: string,
  mountinfo: string,
  threads: FakeThread[],
): void {
  const files: Record<string, string> = { comm: `${command}\n`, mountinfo };
  for (const { tid = pid, syscall, fds = {} } of threads) {
    if (syscall !== undefined)
      files[`task/${tid}/syscall`] = `${syscall} 0x7f00 0x1000 0x0 0x0 0x0 0x7ff 0x7f1\n`;
    for (const [fd, about] of Object.entries(fds)) files[`task/${tid}/fdinfo/${fd}`] = about;
  }
  for (const [file, text] of Object.entries(files)) {
    const path = join(proc, String(pid), file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
}

const fdinfo = (mount: number, inode?: number): string =>
  `pos:\t0\nflags:\t02300000\nmnt_id:\t${mount}\n${inode === undefined ? '' : `ino:\t${inode}\n`}`;
const ours = '10 1 0:2 / / rw - ext4 /dev/vda rw\n42 10 0:57 / /opt/dags ro - fuse.dagmount s3://b/ ro\n';

describe('the threads that hold the lock of a directory', () => {
  test('are those that list it, in whatever thread and mount namespace, and no others', async (t) => {
    const proc = await temporaryDirectory(t);
    const lists = { syscall: '217 0x4', fds: { 4: fdinfo(42, 2) } };
    fakeProcess(proc, 1000, 'lists', ours, [lists]);
    fakeProcess(proc, 1100, 'in a thread', ours, [{ syscall: '202 0x1' }, { ...lists, tid: 1105 }]);
    const elsewhere = '931 900 0:57 / /dags ro - fuse.dagmount s3://b/ ro\n';
    fakeProcess(proc, 1200, 'container', elsewhere, [{ syscall: '217 0x9', fds: { 9: fdinfo(931, 2) } }]);
    fakeProcess(proc, 1300, 'old kernel', ours, [{ syscall: '78 0x4', fds: { 4: fdinfo(42) } }]);
    fakeProcess(proc, 2000, 'other directory', ours, [{ syscall: '217 0x4', fds: { 4: fdinfo(42, 3) } }]);
    fakeProcess(proc, 2100, 'other mount', ours, [{ syscall: '217 0x4', fds: { 4: fdinfo(10, 2) } }]);
    fakeProcess(proc, 2200, 'holds it open', ours, [{ syscall: '0 0x4', fds: { 4: fdinfo(42, 2) } }]);
    fakeProcess(proc, 2300, 'computes', ours, [{ syscall: 'running', fds: { 4: fdinfo(42, 2) } }]);
    fakeProcess(proc, 2400, "another user's", ours, [{ fds: { 4: fdinfo(42, 2) } }]);
    fakeProcess(proc, 2500, 'lies', ours, [{ syscall: '217 0xffffffffffffff9c', fds: { 4: fdinfo(42, 2) } }]);
    writeFileSync(join(proc, 'uptime'), '1');
    const found = await findLockHolders({ proc, device: '0:57', nodeId: 2, arch: 'x64', signal });
    assert.deepEqual(
      [...found].sort((one, other) => one.pid - other.pid),
      [
        { pid: 1000, tid: 1000, uid, command: 'lists' },
        { pid: 1100, tid: 1105, uid, command: 'in a thread' },
        { pid: 1200, tid: 1200, uid, command: 'container' },
        { pid: 1300, tid: 1300, uid, command: 'old kernel' },
      ],
    );
  });

  test('are named in printable characters, and not without number', async (t) => {
    const proc = await temporaryDirectory(t);
    const lists = { syscall: '61 0x4', fds: { 4: fdinfo(42, 2) } };
    for (let pid = 100; pid < 140; pid++) fakeProcess(proc, pid, '\x1b[2J\u202eevil\n', ours, [lists]);
    const found = await findLockHolders({ proc, device: '0:57', nodeId: 2, arch: 'arm64', signal });
    assert.equal(found.length, 16);
    for (const { command } of found) assert.match(command, /^[\x20-\x7e]+evil\?*$/);
  });

  test('are not looked for any more once that is of no use', async (t) => {
    const proc = await temporaryDirectory(t);
    fakeProcess(proc, 100, 'lists', ours, [{ syscall: '217 0x4', fds: { 4: fdinfo(42, 2) } }]);
    const late = AbortSignal.abort();
    assert.deepEqual(
      await findLockHolders({ proc, device: '0:57', nodeId: 2, arch: 'x64', signal: late }),
      [],
    );
  });
});
