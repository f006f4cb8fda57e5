import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { missing, prometheusProgram } from '../support/prometheus.ts';
import { repository } from '../support/repository.ts';

const directory = join(repository, 'deploy/prometheus');

describe('the alert rules', () => {
  const rules = readFileSync(join(directory, 'dagmount.rules.yml'), 'utf8');

  test('use metrics that a daemon has', () => {
    const declared = readFileSync(join(repository, 'src/control/metrics/metrics.ts'), 'utf8');
    const expressions = rules
      .split('\n')
      .filter((line) => !line.includes('summary:') && !line.includes('action:'));
    const names = new Set(expressions.join('\n').match(/\bdagmount_\w+/g));
    assert.ok(names.size > 10);
    for (const name of names) assert.ok(declared.includes(`'${name.replace(/_bucket$/, '')}'`), name);
  });

  test('have each its place in the operations manual', () => {
    const manual = readFileSync(join(repository, 'docs/operations.md'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name);
    assert.ok(alerts.length > 10);
    for (const name of alerts) assert.ok(manual.includes(`\`${name}\``), name);
  });

  test('fire where their event has happened, and only there', { skip: missing('promtool') }, () => {
    for (const [what, file] of [
      ['check', 'dagmount.rules.yml'],
      ['test', 'dagmount.rules.test.yml'],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(
        prometheusProgram('promtool')!,
        [what, 'rules', join(directory, file)],
        {
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stdout + stderr);
    }
  });
});
