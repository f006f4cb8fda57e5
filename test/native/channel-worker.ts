import { parentPort } from 'node:worker_threads';
import { loadAddon } from '../../src/session/kernel/addon.ts';

/** Opens a channel, keeps its notify thread busy, and leaves the closing to whoever ends this thread. */
const addon = loadAddon();
const [ours] = addon.socketPair(false);
const messages = new Uint8Array(16);
new DataView(messages.buffer).setUint32(0, 16, true);
const kept: Int32Array[] = [];
const channel = new addon.Channel(ours, 1000, [
  new Uint8Array(8192),
  new Int32Array(1),
  new Uint8Array(4096),
  new Float64Array(1),
  () => undefined,
  () => undefined,
  () => undefined,
]);
for (let i = 0; i < 50; i++) {
  const results = new Int32Array(1);
  kept.push(results);
  channel.notify(messages, results);
}
parentPort?.postMessage(kept.length);
if (process.argv[2] === 'exit') process.exit(0);
