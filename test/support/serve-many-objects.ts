import { setTimeout as delay } from 'node:timers/promises';
import { ComputedBucket } from './computed-bucket.ts';
import { MemoryS3 } from './memory-s3.ts';

/**
 * The child process behind many-objects.ts: `node serve-many-objects.js OBJECTS PREFIX BYTES LATENCY` serves a computed
 * bucket, prints its endpoint, and reads lines from its standard input: `revise FROM TO` gives these objects new bytes.
 * The process ends when its input ends.
 */
const [objects, prefix = '', bytes, latency] = process.argv.slice(2);
const bucket = new ComputedBucket(Number(objects), prefix, Number(bytes ?? 0));
/** Milliseconds. */
const latencyMs = Number(latency ?? 0);

const store = await MemoryS3.start({
  bucket,
  recorded: false,
  ...(latencyMs > 0 && {
    fault: async () => {
      await delay(latencyMs);
      return undefined;
    },
  }),
});
process.stdout.write(`${store.endpoint}\n`);

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  input += text;
  for (let end = input.indexOf('\n'); end >= 0; end = input.indexOf('\n')) {
    const [command, from, to] = input.slice(0, end).split(' ');
    input = input.slice(end + 1);
    if (command !== 'revise') continue;
    for (let index = Number(from); index < Number(to); index += 1) bucket.revise(index);
    process.stdout.write('revised\n');
  }
});
process.stdin.on('end', () => process.exit());
