import assert from 'node:assert/strict';
import { createConnection, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { manyFiles, mountStore, openStore } from '../e2e/fixture.ts';
import { statusOf } from '../support/control.ts';
import { mountImpossible } from '../support/mount.ts';
import { residentBytes } from '../support/processes.ts';
import { type Reader, startPython } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const MIB = 1024 * 1024;
const MALFORMED = 1_000;
const SLOW = 500;
const WINDOW_MS = 20_000;

const NONSENSE = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'GET\r\n\r\n',
  'GET /v1/status HTTP/9.9\r\n\r\n',
  'GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  'POST /v1/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  `GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
  'GET /v1/entries/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n',
  'PUT /v1/log-level HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{"a":',
  '\0'.repeat(4_096),
];

/** The milliseconds within which 99 of 100 reads since the last call ended. */
async function p99(reader: Reader): Promise<number> {
  const before = reader.stdout().split('\n').length;
  reader.tell('');
  const line = await waitFor('the times', () => {
    const lines = reader.stdout().split('\n');
    return lines.length > before ? lines[before - 1] : undefined;
  });
  return Number(line);
}

async function abuse(path: string, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = createConnection({ path }, () => socket.end(text));
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.resume().setTimeout(20_000, () => socket.destroy());
  });
}

/** Sends one byte of a request's head now and then. */
function trickle(path: string): Socket {
  const head = 'GET /v1/status HTTP/1.1\r\nHost: x\r\n';
  const socket = createConnection({ path });
  let at = 0;
  const timer = setInterval(() => socket.write(head[at++ % head.length] ?? ''), 500);
  return socket.on('error', () => undefined).on('close', () => clearInterval(timer));
}

test('malformed and slow requests neither hold readers up nor stay in memory', {
  skip: mountImpossible,
}, async (t) => {
  const store = await openStore(t, manyFiles(300, 4_096));
  const mount = await mountStore(t, store);
  const reader = startPython('reads.py', [mount.target], { stdin: 'pipe', deadlineMs: 400_000 });
  defer(t, () => reader.kill());
  await delay(5_000);
  await p99(reader);
  await delay(WINDOW_MS);
  const quiet = await p99(reader);
  const { pid } = await statusOf(mount);
  const before = residentBytes(pid);

  const slow = Array.from({ length: SLOW }, () => trickle(mount.socket()));
  const until = Date.now() + WINDOW_MS;
  for (let sent = 0; sent < MALFORMED || Date.now() < until; sent += 10) {
    const some = Array.from({ length: 10 }, (_, at) => NONSENSE[(sent + at) % NONSENSE.length] ?? '');
    await Promise.all(some.map((text) => abuse(mount.socket(), text)));
    // Spreads a thousand requests over the whole window, so that readers meet them all along.
    await delay((WINDOW_MS / MALFORMED) * 10);
  }
  const abused = await p99(reader);
  for (const socket of slow) socket.destroy();
  await delay(60_000);
  const after = residentBytes(pid);
  reader.end();
  t.diagnostic(`p99 of a read: ${quiet} ms, under abuse ${abused} ms: ${(abused / quiet).toFixed(2)} times`);
  t.diagnostic(`resident: ${(before / MIB).toFixed(1)} MiB, a minute later ${(after / MIB).toFixed(1)} MiB`);
  assert.equal((await statusOf(mount)).pid, pid);
  assert.ok(after - before < 32 * MIB, `${(after - before) / MIB} MiB more`);
});
