import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DriverMetrics, PublishCounter, serveMetrics } from '../../src/csi/driver-metrics.ts';
import { inParts, LONG_AGO, Store } from '../source/standby/two-stores.ts';
import { statusOf } from '../support/control.ts';
import { dashboard } from '../support/dashboard.ts';
import { type Mount, mountImpossible, startMount } from '../support/mount.ts';
import { missing, type Prometheus, type Sample, startPrometheus } from '../support/prometheus.ts';
import { python, startReader } from '../support/reader.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { makeSigner, openRoot } from '../support/release-root.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const METRICS = ['--metrics-listen', '127.0.0.1:0'];
const JOB = 'dagmount-test';

function replaced(expression: string): string {
  return expression.replaceAll('$job', JOB).replaceAll('$instance', '.+').replaceAll('$tree', '.*');
}

/** Reads a file after dropping its pages from the kernel's cache. */
const READ_ANEW = `
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
os.read(fd, 65536)
`;

/** How many values a variable offers. Each of these mounts has one tree, so its metrics have no label for the tree. */
const SELECTED: ReadonlyMap<string, number> = new Map([
  ['job', 1],
  ['tree', 0],
]);

/** Zero except for moments, and there may be no scrape in such a moment. */
const MOMENTARY = /^sum\(dagmount_version_lookups_waiting\{/;

/** Makes a counted event happen twice, with a scrape in between: an increase shows only between two scrapes. */
async function twice(
  prometheus: Prometheus,
  metric: string,
  make: (time: number) => Promise<unknown>,
): Promise<void> {
  let scraped = 0;
  for (const time of [1, 2]) {
    await make(time);
    const before = scraped;
    await waitFor(metric, async () => {
      scraped = (await prometheus.query(`sum(${metric})`))[0]?.value ?? 0;
      return scraped > before;
    });
  }
}

async function portOf(mount: Mount): Promise<number> {
  return Number((await mount.logged('listening')).metricsPort);
}

/**
 * Two nodes of one environment. Of the second release, the first node shows it and the other holds it; a third release
 * has a time from which it is due. The test looks up one version that exists and two that do not.
 */
async function startReleases(t: TestContext) {
  const root = await openRoot(t);
  const { flags, signers } = await makeSigner(t);
  const files = { 'a.py': 'print(1)', 'b.py': 'print(2)' };
  await root.deploy(files, { flags });
  const start = async (...args: readonly string[]): Promise<Mount> =>
    startMount(t, {
      source: root.address,
      env: root.seaweedfs.readerEnvironment,
      args: [
        ...['--endpoint-url', root.seaweedfs.endpoint, '--ref', 'production', '--poll-interval', '1s'],
        ...['--state-dir', await temporaryDirectory(t), ...METRICS, ...args],
      ],
    });
  const first = await root.newest();
  const following = await start('--versions');
  const holding = await start('--allowed-signers', signers);
  const lookUp = async (id: string): Promise<boolean> => {
    const { code } = await startReader('ls', [join(following.target, 'versions', id)]).done;
    return code === 0;
  };
  const happen = async (prometheus: Prometheus): Promise<void> => {
    await root.deploy({ ...files, 'c.py': 'print(3)' });
    await waitFor('the hold', async () => (await statusOf(holding)).held?.reason === 'signature');
    await waitFor('the second step', async () => (await statusOf(following)).release?.seq === 2);
    assert.ok(await lookUp(first));
    await twice(prometheus, 'dagmount_version_lookups_total{outcome!="found"}', async (time) => {
      assert.ok(!(await lookUp(`sha256-${String(time).repeat(64)}`)));
    });
    await root.deploy({ ...files, 'd.py': 'print(4)' }, { flags: ['--at', '+2h'] });
    await waitFor('the third step', async () => (await statusOf(following)).release?.armed?.seq === 3);
  };
  return { mounts: [following, holding], happen };
}

/** A node of a plain prefix. It gets webhooks, its server is killed, its reads fail, and it moves to a standby. */
async function startPrefix(t: TestContext) {
  const [first, second] = [
    new Store('s3://bucket/dags/', inParts('a')),
    new Store('s3://west/dags/', inParts('b')),
  ];
  await Promise.all([first.start(t), second.start(t)]);
  first.put('f.py', 'print(1)', LONG_AGO);
  first.put('large.py', `print("${'l'.repeat(1024 ** 2)}")`, LONG_AGO);
  second.copyFrom(first);
  const secret = randomBytes(32).toString('hex');
  const file = join(await temporaryDirectory(t), 'secrets');
  await writeFile(file, secret, { mode: 0o600 });
  const mount = await startMount(t, {
    source: 's3://bucket/dags',
    env: { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' },
    args: [
      ...['--endpoint-url', first.endpoint, '--poll-interval', '1s', '--settle', '0', '--prefetch', '1KiB'],
      ...['--standby-source', 's3://west/dags', '--standby-endpoint-url', second.endpoint],
      ...['--standby-after', '5s', '--webhook-listen', '127.0.0.1:0', '--webhook-secret-file', file],
      ...METRICS,
    ],
  });
  const { webhookPort } = await mount.logged('listening');
  const hint = async (body: string): Promise<void> => {
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'X-Hub-Signature-256': `sha256=${signature}` };
    const { status } = await fetch(`http://127.0.0.1:${webhookPort}/`, { method: 'POST', body, headers });
    assert.equal(status, 202);
  };
  const failsToRead = async (): Promise<boolean> => {
    const { code } = await startReader('cat', [join(mount.target, 'large.py')]).done;
    return code !== 0;
  };
  const happen = async (prometheus: Prometheus): Promise<void> => {
    await twice(prometheus, 'dagmount_hints_total{from="webhook",outcome="taken"}', (time) =>
      hint(`${time}`),
    );
    process.kill(await mount.serverPid(), 'SIGKILL');
    await mount.logged('taken-over');
    await twice(prometheus, 'dagmount_cache_hits_total', () =>
      python(READ_ANEW, [join(mount.target, 'f.py')]),
    );
    first.isDown = true;
    second.isDown = true;
    await twice(prometheus, 'dagmount_read_errors_total', () => waitFor('a failed read', failsToRead));
    second.isDown = false;
    await waitFor('the standby', async () => (await statusOf(mount)).degraded.includes('on-standby'));
  };
  return { mount, happen };
}

/** The metrics of a node's driver, with one mount that answers and one that does not. The mounts do not exist. */
async function startDriver(t: TestContext) {
  const publishes = new PublishCounter();
  const metrics = new DriverMetrics({
    version: '1.2.3',
    publishes,
    volumes: () => 3,
    mounts: () => new Map(['up', 'down'].map((key) => [key, `s3://bucket/${key}/`])),
    ask: async (key) => (key === 'up' ? '' : assert.fail('no answer')),
  });
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, metrics, new RecordingLog());
  defer(t, () => server.close());
  const volumes = publishes.counting({ publish: async () => undefined, unpublish: async () => undefined });
  const happen = (prometheus: Prometheus): Promise<void> =>
    twice(prometheus, 'dagmount_csi_publishes_total', () =>
      volumes.publish({ volumeId: 'v', target: '/t', context: {}, secrets: {} }),
    );
  return { port: server.port, happen };
}

test('each query of the dashboard gives data in a Prometheus that scrapes mounts, and a driver, in which its event happened', {
  skip: mountImpossible || missing('prometheus') || supervisorMissing,
}, async (t) => {
  const releases = await startReleases(t);
  const prefix = await startPrefix(t);
  const mounts = [...releases.mounts, prefix.mount];
  const driver = await startDriver(t);
  const ports = [...(await Promise.all(mounts.map(portOf))), driver.port];
  const prometheus = await startPrometheus(t, JOB, ports);
  const scraped = async (): Promise<boolean> =>
    (await prometheus.query(`sum(up{job="${JOB}"})`))[0]?.value === ports.length;
  await waitFor('a scrape of each mount', scraped);
  await releases.happen(prometheus);
  await prefix.happen(prometheus);
  await driver.happen(prometheus);

  for (const { name, query } of dashboard.templating.list) {
    const [, match, label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    if (match === undefined || label === undefined) continue;
    const values = await prometheus.labelValues(label, replaced(match));
    assert.equal(values.length, SELECTED.get(name) ?? ports.length, name);
  }
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    // An annotation shows a moment that is over by now.
    ...dashboard.annotations.list.map(({ name, expr }) => ({
      title: name,
      expr: `max_over_time((${expr})[30m:1s])`,
    })),
  ];
  const empty: string[] = [];
  for (const { title, expr } of queries) {
    let samples: readonly Sample[] = [];
    // An event that did not happen gives zero, or no sample.
    const hasData = async (): Promise<boolean> => {
      samples = await prometheus.query(replaced(expr));
      return samples.some(({ value }) => value > 0 || (MOMENTARY.test(expr) && value === 0));
    };
    await waitFor(title, hasData, 30_000).catch(() => empty.push(`${title}: ${expr}`));
    t.diagnostic(`${title}: ${samples.length} series, the most ${Math.max(...samples.map((s) => s.value))}`);
  }
  assert.deepEqual(empty, []);
});
