import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { parseDriverConfig } from '../../src/csi/driver-config.ts';
import { chart, faultsOf, helm, helmMissing, render, validatorMissing } from '../support/helm.ts';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { refusedValues, triedValues } from './chart-values.ts';

const VERSIONS = ['1.36', '1.37'];
const airflow = join(repository, 'deploy/airflow');
const unpacked = join(repository, '.tools/prometheus/usr/bin/promtool');
const promtool = existsSync(unpacked) ? unpacked : 'promtool';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly groups?: unknown; readonly template?: { readonly spec: PodSpec } };
  readonly data?: Readonly<Record<string, string>>;
}

interface PodSpec {
  readonly enableServiceLinks?: boolean;
  readonly containers: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly volumeMounts: readonly { readonly mountPropagation?: string }[];
  }[];
}

function manifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

function valueAt(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

function merged(one: object, other: object): object {
  const result: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const own = result[name];
    const areObjects = [own, value].every((each) => each?.constructor === Object);
    result[name] = areObjects ? merged(own as object, value as object) : value;
  }
  return result;
}

function leaves(value: unknown, path = ''): readonly string[] {
  const entries = value?.constructor === Object ? Object.entries(value as object) : [];
  if (entries.length === 0) return [path];
  return entries.flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`));
}

describe('the chart', { skip: helmMissing }, () => {
  test('passes helm lint, and renders what a driver and a holder need', async (t) => {
    const directory = await temporaryDirectory(t);
    const lint = helm(directory, 'lint', '--strict', chart);
    assert.equal(lint.code, 0, lint.stdout + lint.stderr);
    const { code, stdout, stderr } = render(directory, {});
    assert.equal(code, 0, stderr);
    const rendered = manifests(stdout);
    assert.deepEqual(rendered.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
      'CSIDriver csi.dagmount.dev',
      'ConfigMap release-dagmount',
      'DaemonSet release-dagmount-driver',
      'DaemonSet release-dagmount-holder',
      'ServiceAccount release-dagmount',
    ]);
    const pods = rendered.flatMap(({ spec }) => (spec?.template === undefined ? [] : [spec.template.spec]));
    assert.ok(pods.every(({ enableServiceLinks }) => enableServiceLinks === false));
    const containers = pods.flatMap((pod) => pod.containers);
    const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts);
    const propagated = mounts.filter(({ mountPropagation }) => mountPropagation !== undefined);
    assert.deepEqual(propagated, [
      { name: 'kubelet', mountPath: '/var/lib/kubelet', mountPropagation: 'Bidirectional' },
    ]);
  });

  test('gives the driver a file that it accepts, also with every key', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const values of [
      {},
      triedValues
        .filter(({ path }) => path.startsWith('config.'))
        .map(({ path, value }) => valueAt(path, value))
        .reduce(merged),
    ]) {
      const { stdout } = render(directory, values);
      const file = manifests(stdout).find(({ kind }) => kind === 'ConfigMap')?.data?.['csi.yaml'] ?? '';
      const { stateDirectory, holder } = parseDriverConfig(file, 'csi.yaml');
      assert.equal(stateDirectory, '/var/lib/dagmount/csi');
      assert.ok(
        render(directory, {}).stdout.includes(`--socket=${holder}`),
        'driver and holder have one socket',
      );
    }
  });

  test('has each of its values tried', async (t) => {
    const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
    const paths = triedValues.map(({ path }) => path);
    const untried = leaves(values).filter(
      (leaf) => !paths.some((path) => leaf === path || leaf.startsWith(`${path}.`)),
    );
    assert.deepEqual(untried, []);
    const directory = await temporaryDirectory(t);
    for (const { path, value, shows, with: needed = {} } of triedValues) {
      const before = render(directory, needed);
      const after = render(directory, merged(needed, valueAt(path, value)));
      assert.equal(after.code, 0, `${path}: ${after.stderr}`);
      assert.notEqual(after.stdout, before.stdout, path);
      if (shows !== '') assert.ok(after.stdout.includes(shows), `${path} shows ${shows}`);
      if (shows !== '') assert.ok(!before.stdout.includes(shows), `${path} alone shows ${shows}`);
    }
  });

  test('renders manifests that the schemas of Kubernetes take, with every value', {
    skip: validatorMissing,
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    const all = [
      {},
      ...triedValues.map(({ path, value, with: needed = {} }) => merged(needed, valueAt(path, value))),
    ];
    const files = all.map((values, index) => {
      const file = join(directory, `${index}.yaml`);
      writeFileSync(file, render(directory, values).stdout);
      return file;
    });
    const others = [join(airflow, 'without-csi/daemonset.yaml')];
    assert.deepEqual(faultsOf(VERSIONS, [...files, ...others]), []);
    // The validator finds what the schemas do not allow.
    const wrong = join(directory, 'wrong.yaml');
    const text = readFileSync(files[0] ?? '', 'utf8');
    for (const [from, to] of [
      ['attachRequired: false', 'attachRequired: "no"'],
      ['enableServiceLinks: false', 'enableServiceLink: false'],
      ['kind: CSIDriver', 'kind: CSIDriverr'],
      ['type: OnDelete', 'type: OnDelete\n    type: OnDelete'],
    ] as const) {
      assert.ok(text.includes(from));
      writeFileSync(wrong, text.replace(from, to));
      assert.notDeepEqual(faultsOf(VERSIONS.slice(0, 1), [wrong]), [], to);
    }
    const monitors = files.filter((file) => readFileSync(file, 'utf8').includes('kind: PodMonitor'));
    writeFileSync(
      wrong,
      readFileSync(monitors[0] ?? '', 'utf8').replace('port: metrics\n', 'prt: metrics\n'),
    );
    assert.notDeepEqual(faultsOf(VERSIONS.slice(0, 1), [wrong]), []);
  });

  test('refuses values that cannot be right', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const [values, says] of refusedValues) {
      const { code, stderr } = render(directory, values);
      assert.notEqual(code, 0, JSON.stringify(values));
      assert.match(stderr, says);
    }
  });

  test('has rules that promtool accepts', async (t) => {
    if (spawnSync(promtool, ['--version']).error !== undefined) {
      return t.skip('there is no promtool here (Debian: apt-get install prometheus)');
    }
    const directory = await temporaryDirectory(t);
    const { stdout } = render(directory, { metrics: { rules: { enabled: true } } });
    const rules = manifests(stdout).find(({ kind }) => kind === 'PrometheusRule');
    const file = join(directory, 'rules.json');
    writeFileSync(file, JSON.stringify({ groups: rules?.spec.groups }));
    const checked = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    assert.match(checked.stdout, /SUCCESS: \d\d rules found/);
  });
});

describe('the values for the chart of Airflow', () => {
  const files = readdirSync(airflow, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('values.yaml'),
  );

  test('have no key that the chart does not document', () => {
    const documented = JSON.parse(
      readFileSync(join(repository, 'test/support/kubernetes/airflow-chart.json'), 'utf8'),
    ) as { readonly keys: readonly string[] };
    assert.ok(files.length >= 3);
    for (const file of files) {
      const unknown = leaves(parse(readFileSync(join(airflow, file), 'utf8'))).filter(
        (leaf) => !documented.keys.includes(leaf),
      );
      assert.deepEqual(unknown, [], file);
    }
  });

  const official = process.env.DAGMOUNT_TEST_AIRFLOW_CHART ?? '';
  test('render with that chart, and each of its components has the tree', {
    skip:
      helmMissing || (existsSync(official) ? false : 'DAGMOUNT_TEST_AIRFLOW_CHART names no chart of Airflow'),
  }, async (t) => {
    const directory = await temporaryDirectory(t);
    for (const file of files) {
      const flags = ['--values', join(airflow, file), '--set', 'postgresql.enabled=false'];
      const { code, stdout, stderr } = helm(directory, 'template', 'airflow', official, ...flags);
      assert.equal(code, 0, stderr);
      for (const component of ['scheduler', 'dag-processor', 'triggerer', 'worker']) {
        const pod = manifests(stdout).find(
          ({ kind, metadata }) =>
            /Deployment|StatefulSet/.test(kind) && metadata.name === `airflow-${component}`,
        );
        assert.match(JSON.stringify(pod), /"mountPath":"\/opt\/airflow\/dag(s|mount)"/, component);
      }
    }
  });
});
