import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { driverMetrics } from '../../src/csi/driver-metrics.ts';
import { dashboard } from '../support/dashboard.ts';

const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.map(({ query }) => query),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];

describe('the dashboard', () => {
  test('asks for metrics that a daemon has, or the driver of a node, and for all of the driver', () => {
    const ofDriver = Object.keys(driverMetrics);
    const ofDaemon = new Metrics({ version: '', node: '' }).declared.map(({ name }) => name);
    const declared = new Set([...ofDriver, ...ofDaemon]);
    const names = new Set(expressions.join('\n').match(/\bdagmount_\w+/g));
    assert.ok(names.size > 20, String(names.size));
    for (const name of names) assert.ok(declared.has(name.replace(/_bucket$/, '')), name);
    assert.deepEqual(
      ofDriver.filter((name) => !names.has(name)),
      [],
    );
  });

  test('shows the release of each node, how far it is behind, and why it holds one', () => {
    for (const name of ['dagmount_release_seq', 'dagmount_release_info', 'dagmount_held_info'])
      assert.ok(
        expressions.some((expression) => expression.includes(name)),
        name,
      );
  });

  test('uses only variables that it has', () => {
    const known = new Set(dashboard.templating.list.map(({ name }) => name));
    const text = JSON.stringify(dashboard).replaceAll('$__all', '');
    for (const [, name = ''] of text.matchAll(/\$\{?([a-z]+)\}?/g)) assert.ok(known.has(name), name);
  });

  test('has panels with ids and titles of their own, none upon another', () => {
    const { panels } = dashboard;
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x} ${y}`), title);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});
