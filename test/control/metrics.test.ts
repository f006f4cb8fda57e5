import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { Metrics, type MetricsSnapshot } from '../../src/control/metrics/metrics.ts';
import { DURATION_BOUNDS as MIRRORED } from '../../src/control/metrics/mirrored-histogram.ts';
import { prefersOpenMetrics } from '../../src/control/metrics/open-metrics.ts';
import type { Status } from '../../src/control/shapes/status.ts';
import { DURATION_BOUNDS, RequestMeter } from '../../src/session/request-meter.ts';
import { missing, prometheusProgram } from '../support/prometheus.ts';
import { held, release, statusOf } from './fixture.ts';

function snapshot(): MetricsSnapshot {
  const meter = new RequestMeter(RequestMeter.memory());
  for (const [kind, milliseconds] of [
    ['lookup', 0.05],
    ['lookup', 0.2],
    ['read', 40_000],
  ] as const) {
    meter.came(kind);
    meter.took(kind, milliseconds);
  }
  meter.failed('EIO');
  meter.answeredNatively = 7;
  const { opcodes, readErrors, durations } = meter;
  const problems = new Map([['nul', 2]]);
  return { status: statusOf({ held, release }), problems, session: { opcodes, readErrors, durations } };
}

async function exposed(openMetrics = false): Promise<string> {
  const metrics = new Metrics({ version: '0', node: 'v0' });
  const tree = metrics.of('');
  tree.request('list', 'ok', 12);
  tree.bytes(5);
  tree.stage('swap', 0.01);
  return (await metrics.expose(snapshot(), openMetrics)).text;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

function familiesOf(text: string): Family[] {
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({
    name,
    type,
    help: new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)?.[1] ?? '',
    labels: [...text.matchAll(new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, 'gm'))].flatMap(
      ([, all = '']) => [...all.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
    ),
  }));
}

/** Units as promtool's linter has them (client_golang, prometheus/testutil/promlint/validations). */
const UNITS_OTHER_THAN_BASE =
  /_(milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|kibibytes|megabytes|mebibytes|gigabytes|bits|percent)(_|$)/;

describe('the metrics', () => {
  test('count and time what the session does, in memory that it shares', async () => {
    const text = await exposed();
    const value = (name: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      );
    const histogram = 'dagmount_fuse_request_duration_seconds';
    assert.equal(value(`${histogram}_bucket{le="0.0001",opcode="lookup"}`), 1);
    assert.equal(value(`${histogram}_bucket{le="0.00025",opcode="lookup"}`), 2);
    assert.equal(value(`${histogram}_bucket{le="+Inf",opcode="lookup"}`), 2);
    assert.equal(value(`${histogram}_bucket{le="30",opcode="read"}`), 0);
    assert.equal(value(`${histogram}_count{opcode="read"}`), 1);
    assert.equal(value(`${histogram}_sum{opcode="read"}`), 40);
    assert.equal(value('dagmount_fuse_requests_total{opcode="ioctl"}'), 7);
    assert.equal(value('dagmount_read_errors_total{errno="EIO"}'), 1);
    assert.deepEqual(MIRRORED, DURATION_BOUNDS);
  });

  test('count look-ups of versions, and have none where none are shown', async () => {
    assert.doesNotMatch(await exposed(), /^dagmount_version(s|_lookups_waiting) /m);
    const lookups = { found: 3, absent: 2, held: 0, refused: 0, unavailable: 1, abandoned: 0 };
    const status = { ...snapshot().status, versions: { shown: 2, waiting: 1, lookups } };
    const { text } = await new Metrics({ version: '0', node: 'v0' }).expose({ ...snapshot(), status });
    for (const line of [
      'dagmount_versions 2',
      'dagmount_version_lookups_waiting 1',
      'dagmount_version_lookups_total{outcome="found"} 3',
      'dagmount_version_lookups_total{outcome="unavailable"} 1',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });

  test('have names, units and help as promtool wants them', async () => {
    for (const { name, type, help, labels } of familiesOf(await exposed())) {
      assert.notEqual(help, '', name);
      assert.match(name, /^[a-z][a-z0-9_]*$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, UNITS_OTHER_THAN_BASE);
      assert.doesNotMatch(name, /_(count|sum|bucket)$/);
      assert.doesNotMatch(name, /_(gauge|counter|histogram|summary)(_|$)/);
      if (type !== 'histogram') assert.ok(!labels.includes('le'), name);
      if (type !== 'summary') assert.ok(!labels.includes('quantile'), name);
      for (const label of labels) assert.match(label, /^[a-z_]+$/);
    }
  });

  test('name the release that is shown, by its number and its id, and what is armed or held', async () => {
    const metrics = new Metrics({ version: '0', node: 'v0' });
    const exposedOf = async (status: Partial<Status>): Promise<string> =>
      (await metrics.expose({ ...snapshot(), status: statusOf(status) })).text;
    const at = '2026-01-01T00:01:00.000Z';
    const text = await exposedOf({ release: { ...release, armed: { ...release, at } }, held });
    assert.match(text, /^dagmount_release_seq 42$/m);
    assert.match(
      text,
      new RegExp(`^dagmount_release_info\\{ref="production",release="${release.id}"\\} 1$`, 'm'),
    );
    assert.match(
      text,
      new RegExp(`^dagmount_release_created_timestamp_seconds ${Date.parse(release.created) / 1000}$`, 'm'),
    );
    assert.match(
      text,
      new RegExp(`^dagmount_release_armed_timestamp_seconds ${Date.parse(at) / 1000}$`, 'm'),
    );
    assert.match(text, /^dagmount_held_info\{reason="mass-deletion"\} 1$/m);
    const later = await exposedOf({ release: { ...release, seq: 43, id: `sha256-${'b'.repeat(64)}` } });
    assert.equal(later.match(/^dagmount_release_info\{/gm)?.length, 1);
    assert.match(later, /^dagmount_release_seq 43$/m);
    assert.doesNotMatch(later, /^dagmount_(release_armed|held_info)\S* \d/m);
    assert.doesNotMatch(await exposedOf({}), /^dagmount_release_\S* \d/m);
  });

  test('pass promtool itself', { skip: missing('promtool') }, async () => {
    const text = await exposed();
    const output = await new Promise<string>((resolve) => {
      const child = execFile(
        prometheusProgram('promtool')!,
        ['check', 'metrics'],
        { timeout: 30_000 },
        (error, stdout, stderr) =>
          resolve(`${error === null ? '' : `exited with ${error.code}: `}${stdout}${stderr}`),
      );
      child.stdin?.end(text);
    });
    assert.equal(output, '');
  });

  test('are OpenMetrics where asked for, and the names of counters stay as they are otherwise', async () => {
    const metrics = new Metrics({ version: '0', node: 'v0' });
    const open = await metrics.expose(snapshot(), true);
    assert.match(open.contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.match(open.text, /^# TYPE dagmount_fuse_requests counter$/m);
    assert.match(open.text, /^dagmount_fuse_requests_total\{opcode="lookup"\} 2$/m);
    assert.ok(open.text.endsWith('\n# EOF\n'));
    assert.doesNotMatch(open.text, /\n\n/);
    const plain = await metrics.expose(snapshot());
    assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/);
    assert.match(plain.text, /^# TYPE dagmount_fuse_requests_total counter$/m);
  });

  test('are given in the format that is asked for first', () => {
    const prometheus =
      'application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.7,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    for (const [accept, open] of [
      [undefined, false],
      ['*/*', false],
      ['text/plain', false],
      ['application/openmetrics-text', true],
      [prometheus, true],
      ['text/plain, application/openmetrics-text;q=0.5', false],
      ['application/openmetrics-text;q=0', false],
    ] as const) {
      assert.equal(prefersOpenMetrics(accept), open, String(accept));
    }
  });
});
