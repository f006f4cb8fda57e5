import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { mountStore } from '../e2e/fixture.ts';
import { metricsOf } from '../support/control.ts';
import { mountImpossible } from '../support/mount.ts';
import { watchProportionalSetSize } from '../support/processes.ts';
import { shell } from '../support/reader.ts';
import { openRoot } from '../support/release-root.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const FILES = 50_000;
const MiB = 2 ** 20;

function stopwatch(): () => string {
  const start = Date.now();
  return () => `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

async function mountRoot(t: Cleanup, root: Awaited<ReturnType<typeof openRoot>>, ...args: readonly string[]) {
  const store = {
    endpoint: root.seaweedfs.endpoint,
    bucket: root.bucket,
    env: root.seaweedfs.readerEnvironment,
  };
  const state = await temporaryDirectory(t);
  return mountStore(t, store, {
    source: root.address,
    args: ['--ref', 'production', '--state-dir', state, ...args],
  });
}

test(`a release of ${FILES} files is deployed, mounted, walked and changed`, {
  skip: mountImpossible,
}, async (t) => {
  const root = await openRoot(t);
  const files = (version: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: FILES }, (_, at) => [
        `team_${at % 250}/dag_${at}.py`,
        `# ${at}, ${at % 100 === 0 ? version : 0}\n`,
      ]),
    );
  let took = stopwatch();
  await root.deploy(files(1));
  t.diagnostic(`deployed from nothing, its files written, in ${took()}`);

  took = stopwatch();
  const mount = await mountRoot(t, root);
  t.diagnostic(`mounted and ready after ${took()}`);
  const memory = watchProportionalSetSize(await mount.serverPid());
  defer(t, () => void memory.stop());
  took = stopwatch();
  const count = 'find . -type f | wc -l; find . -name "*.py" -print0 | xargs -0 cat | sha256sum';
  const walked = await shell(mount.target, count, { deadlineMs: 600_000 });
  assert.match(walked, new RegExp(`^${FILES}\\n[0-9a-f]{64}  -\\n$`));
  t.diagnostic(`walked and read in ${took()}`);
  const requests = (await metricsOf(mount))('source_requests_total{operation="get",outcome="ok"}');
  t.diagnostic(`GETs by then: ${requests}`);

  took = stopwatch();
  await root.deploy(files(2));
  const isNew = async (): Promise<boolean> =>
    (await shell(mount.target, 'cat team_0/dag_0.py; cat team_150/dag_49900.py')) === '# 0, 2\n# 49900, 2\n';
  await waitFor('the second release', isNew, 300_000);
  t.diagnostic(`500 files changed, deployed and shown after ${took()}`);
  assert.equal(
    (await shell(mount.target, 'find . -type f | wc -l', { deadlineMs: 600_000 })).trim(),
    `${FILES}`,
  );
  const most = memory.stop();
  t.diagnostic(`at its highest ${(most / MiB).toFixed(0)} MiB`);
  assert.ok(most < 700 * MiB, `${most / MiB} MiB`);
  assert.equal((await mount.stop()).code, 0);
});

test('a file of 200 MB in a release is downloaded once, in little memory, and is not read again after a roll-back', {
  skip: mountImpossible,
}, async (t) => {
  const root = await openRoot(t);
  const large = randomBytes(200_000_000);
  const sum = `${createHash('sha256').update(large).digest('hex')}  -\n`;
  await root.deploy({ 'model.bin': large, 'a.py': 'one' });
  const mount = await mountRoot(t, root);
  const memory = watchProportionalSetSize(await mount.serverPid());
  defer(t, () => void memory.stop());
  const bytes = async (): Promise<number> => (await metricsOf(mount))('source_bytes_total') ?? 0;
  const read = (): Promise<string> => shell(mount.target, 'sha256sum < model.bin', { deadlineMs: 300_000 });
  const took = stopwatch();
  assert.equal(await read(), sum);
  const once = await bytes();
  t.diagnostic(`read in ${took()}, of ${once} bytes`);
  assert.ok(once < 1.05 * large.length, `${once} bytes`);

  await root.deploy({ 'a.py': 'two' });
  await waitFor('the second release', async () => (await shell(mount.target, 'ls')) === 'a.py\n');
  await root.command('rollback', 'production', '-m', 'back');
  await waitFor('the roll-back', async () => (await shell(mount.target, 'ls')) === 'a.py\nmodel.bin\n');
  assert.equal(await read(), sum);
  assert.ok((await bytes()) - once < MiB, `${(await bytes()) - once} bytes after the roll-back`);
  const most = memory.stop();
  t.diagnostic(`at its highest ${(most / MiB).toFixed(0)} MiB`);
  assert.equal((await mount.stop()).code, 0);
});
