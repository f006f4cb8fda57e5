import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../control/fixture.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { startPython } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const isRoot = process.getuid?.() === 0;
const FLOODED_SECONDS = 4;

test('a flood of requests to the metrics holds up neither changes nor health', {
  skip: mountImpossible || (!isRoot && 'to be another user takes root'),
}, async (t) => {
  const s3 = await MemoryS3.start();
  defer(t, () => s3.close());
  s3.put('dags/a.py', 'a');
  const mount = await startMount(t, {
    source: 's3://bucket/dags',
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    args: [
      ...['--endpoint-url', s3.endpoint, '--poll-interval', '1s', '--settle', '0'],
      ...['--metrics-listen', '127.0.0.1:0'],
    ],
  });
  const port = Number((await mount.logged('listening')).metricsPort);
  const flood = startPython('flood.py', [String(port), '65533', String(FLOODED_SECONDS)], {
    deadlineMs: 60_000,
  });
  defer(t, async () => {
    flood.kill();
    await flood.done;
  });
  await waitFor('the flood', () => flood.stdout().startsWith('flooding'));
  for (let number = 2; number < 4; number++) {
    s3.put('dags/a.py', `${number}`);
    await waitFor('the change', async () => (await statusOf(mount)).generation?.number === number);
    const health = await exchange({ host: '127.0.0.1', port }, '/healthz', {});
    assert.equal(health.status, 200);
  }
  const { stdout, stderr } = await flood.done;
  assert.equal(stderr, '');
  const { connections, most, bodies, seconds } = JSON.parse(stdout.split('\n')[1] ?? '');
  t.diagnostic(stdout.split('\n')[1] ?? '');
  assert.ok(connections > 0);
  assert.equal(most, 1);
  // The daemon made one answer a second, however many it sent.
  assert.ok(bodies <= Math.ceil(seconds) + 1, `${bodies} answers were made in ${seconds} s`);
});
