import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { repository } from '../support/repository.ts';

function textOf(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

test('the chart has the alert rules and the dashboard of this repository', () => {
  // They are copies, because helm reads nothing outside of a chart, and npm packs no links.
  for (const [copy, original] of [
    ['dagmount.rules.yml', 'deploy/prometheus/dagmount.rules.yml'],
    ['dagmount.json', 'deploy/grafana/dagmount.json'],
  ] as const) {
    assert.equal(textOf(`deploy/helm/dagmount/files/${copy}`), textOf(original), `cp ${original} there`);
  }
});

test('chart, image and manifests are of the version of this package', () => {
  const { version } = JSON.parse(textOf('package.json')) as { readonly version: string };
  const chart = parse(textOf('deploy/helm/dagmount/Chart.yaml')) as Readonly<Record<string, string>>;
  assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  for (const file of ['daemonset.yaml', 'values.yaml', 'sidecar-values.yaml']) {
    const images = textOf(`deploy/airflow/without-csi/${file}`).match(/image: \S+/g) ?? [];
    assert.ok(images.length > 0);
    for (const image of images) assert.equal(image, `image: localhost/dagmount:${version}`, file);
  }
});
