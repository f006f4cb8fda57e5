import { closeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { UNANSWERED } from '../../src/session/kernel/notification-watch.ts';

/** Opens a channel, keeps its notify thread busy, and leaves the closing to whoever ends this thread. */
const addon = loadAddon();
const [ours, theirs] = addon.socketPair(false);
// Each message is refused at once: nobody reads them.
closeSync(theirs);
/** So many that the notify thread is at them while this thread ends. */
const MESSAGES = 500_000;
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
