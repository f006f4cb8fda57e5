import { closeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { UNANSWERED } from '../../src/session/kernel/notification-watch.ts';

/** Opens a channel, and keeps its notify thread busy. Does not close it: the end of this thread must close it. */
const addon = loadAddon();
const [ours, theirs] = addon.socketPair(false);
// The socket refuses each message at once, since no process reads it.
closeSync(theirs);
/** So many that the notify thread is still sending them while this thread ends. */
const MESSAGES = 100_000;
const messages = new Uint8Array(16 * MESSAGES);
const view = new DataView(messages.buffer);
for (let index = 0; index < MESSAGES; index++) view.setUint32(16 * index, 16, true);
const results = new Int32Array(new SharedArrayBuffer(4 * MESSAGES)).fill(UNANSWERED);
const channel = new addon.Channel(ours, 1000, [
  new Uint8Array(8192),
  new Int32Array(1),
  new Uint8Array(4096),
  new Float64Array(1),
  () => undefined,
  () => undefined,
  () => undefined,
]);
channel.notify(messages, results);
parentPort?.postMessage(results.buffer);
if (process.argv[2] === 'exit') process.exit(0);
