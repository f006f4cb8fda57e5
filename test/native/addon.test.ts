import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Addon, loadAddon, type NativeChannel } from '../../src/session/kernel/addon.ts';
import { UNANSWERED } from '../../src/session/kernel/notification-watch.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import { waitFor } from '../support/wait-for.ts';

const IN_HEADER_BYTES = 40;
const OUT_HEADER_BYTES = 16;
const IOCTL = 39;
const ENOTTY = 25;
const EAGAIN = 11;

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function request(opcode: number, unique: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(IN_HEADER_BYTES));
  view.setUint32(0, IN_HEADER_BYTES, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, unique, true);
  return new Uint8Array(view.buffer);
}

/** A channel on one end of a socket, in the place of the device; the test holds the other end. */
class Loop {
  readonly reply = new Uint8Array(4096);
  readonly answered = new Float64Array(1);
  readonly opcodes: number[] = [];
  readonly notified: Int32Array[] = [];
  ended: number | undefined;
  readonly channel: NativeChannel;
  readonly #theirs: number;
  readonly #pending: Int32Array[] = [];

  constructor(addon: Addon) {
    const [ours, theirs] = addon.socketPair(false);
    this.#theirs = theirs;
    const requests = new Uint8Array(4 * 8192);
    const lengths = new Int32Array(4);
    this.channel = new addon.Channel(ours, 1000, [
      requests,
      lengths,
      this.reply,
      this.answered,
      (count) => {
        for (let i = 0; i < count; i++) {
          this.opcodes.push(new DataView(requests.buffer).getUint32(i * 8192 + 4, true));
        }
      },
      () => {
        const results = this.#pending.shift();
        if (results !== undefined) this.notified.push(results);
      },
      (errno) => {
        this.ended = errno;
      },
    ]);
  }

  send(bytes: Uint8Array): void {
    writeSync(this.#theirs, bytes);
  }

  receive(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(this.#theirs, bytes));
  }

  notify(messages: Uint8Array, count: number): void {
    const results = new Int32Array(count).fill(-1);
    this.channel.notify(messages, results);
    this.#pending.push(results);
  }

  hangUp(): void {
    closeSync(this.#theirs);
  }
}

describe('the addon', {
  skip: process.platform !== 'linux' && 'the kernel transport is for Linux',
  timeout: 60_000,
}, () => {
  let addon: Addon;
  let directory: string;
  before(() => {
    addon = loadAddon();
    directory = mkdtempSync(join(tmpdir(), 'dagmount-test-native-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  test('answers IOCTL with ENOTTY by itself, and hands over every other request', async () => {
    const loop = new Loop(addon);
    loop.send(request(IOCTL, 0x8000_0000_0000_0007n));
    await waitFor('the constant answer', () => loop.answered[0] === 1);
    const reply = loop.receive(64);
    assert.equal(reply.length, OUT_HEADER_BYTES);
    assert.equal(reply.readUInt32LE(0), OUT_HEADER_BYTES);
    assert.equal(reply.readInt32LE(4), -ENOTTY);
    assert.equal(reply.readBigUInt64LE(8), 0x8000_0000_0000_0007n);
    loop.send(request(1, 8n));
    await waitFor('a request', () => loop.opcodes.length === 1);
    assert.deepEqual(loop.opcodes, [1]);
    loop.hangUp();
    await waitFor('the end', () => loop.ended !== undefined);
  });

  test('sends the reply that lies in its buffer, and refuses lengths outside of it', async () => {
    const loop = new Loop(addon);
    loop.reply.set([1, 2, 3, 4]);
    assert.equal(loop.channel.reply(20), 0);
    assert.deepEqual([...loop.receive(64).subarray(0, 4)], [1, 2, 3, 4]);
    assert.throws(() => loop.channel.reply(15), { code: 'EINVAL' });
    assert.throws(() => loop.channel.reply(4097), { code: 'EINVAL' });
    loop.channel.close();
    assert.throws(() => loop.channel.reply(16), { code: 'EBADF' });
    loop.hangUp();
  });

  test('writes notifications from its thread and tells of each; what is no whole message is refused', async () => {
    const loop = new Loop(addon);
    const messages = new Uint8Array(16 + 24);
    new DataView(messages.buffer).setUint32(0, 16, true);
    new DataView(messages.buffer).setUint32(16, 24, true);
    loop.notify(messages, 2);
    await waitFor('the results', () => loop.notified.length === 1);
    assert.deepEqual([...(loop.notified[0] ?? [])], [0, 0]);
    assert.equal(loop.receive(64).length, 40);
    assert.throws(() => loop.notify(messages, 1), { code: 'EINVAL' });
    assert.throws(() => loop.notify(messages.subarray(0, 30), 2), { code: 'EINVAL' });
    assert.throws(() => loop.notify(new Uint8Array(16), 1), { code: 'EINVAL' });
    loop.channel.close();
    loop.hangUp();
  });

  test('gives every descriptor back when it is closed, also by the other side', async () => {
    const before = openDescriptors();
    for (let i = 0; i < 20; i++) {
      const loop = new Loop(addon);
      if (i % 2 === 0) loop.channel.close();
      loop.hangUp();
    }
    await waitFor('the descriptors', () => openDescriptors() <= before);
  });

  test('survives a worker that ends with its channel open, in the middle of notifications', async () => {
    let interrupted = 0;
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(new URL('./channel-worker.js', import.meta.url));
      const memory = await new Promise<SharedArrayBuffer>((resolve) => worker.once('message', resolve));
      if (new Int32Array(memory).includes(UNANSWERED)) interrupted += 1;
      await worker.terminate();
    }
    assert.ok(interrupted > 0, 'the notifications had all been answered before the worker ended');
  });

  test('lets a process end while a channel is open', () => {
    const script = fileURLToPath(new URL('./channel-worker.js', import.meta.url));
    const { status, signal } = spawnSync(process.execPath, [script, 'exit'], { timeout: 20_000 });
    assert.deepEqual({ status, signal }, { status: 0, signal: null });
  });

  test('locks a file against every other descriptor until it is closed', () => {
    const path = join(directory, 'lock');
    const fd = addon.lockFile(path);
    assert.ok(fd > 0);
    assert.equal(addon.lockFile(path), -EAGAIN);
    closeSync(fd);
    const again = addon.lockFile(path);
    assert.ok(again > 0);
    closeSync(again);
    assert.equal(addon.lockFile(join(directory, 'missing', 'lock')), -2);
  });

  test('names what went wrong by its errno, and leaks nothing', {
    skip: mountCallImpossible,
  }, () => {
    const before = openDescriptors();
    assert.throws(() => addon.unmount(join(directory, 'missing'), false), { code: 'ENOENT' });
    assert.throws(() => addon.unmount(directory, false), { code: 'EINVAL' });
    assert.throws(
      () => addon.mountDirect(join(directory, 'missing'), 'rootmode=40000\nuser_id=0\ngroup_id=0', false),
      {
        code: 'ENOENT',
      },
    );
    assert.throws(() => addon.mountDirect(directory, 'nonsense=1', false), { code: 'EINVAL' });
    const [one, other] = addon.socketPair(false);
    assert.throws(() => addon.receiveFd(one), { code: 'EPROTO' });
    closeSync(one);
    closeSync(other);
    assert.equal(openDescriptors(), before);
  });
});
