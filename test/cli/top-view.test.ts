import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { figuresOf } from '../../src/cli/top/figures.ts';
import type { Moment } from '../../src/cli/top/moment.ts';
import { Scrape } from '../../src/cli/top/scrape.ts';
import { rateText, secondsText, type View, viewLines } from '../../src/cli/top/view.ts';
import { held, ID, OTHER_ID, statusOf } from '../control/fixture.ts';

const NOW = Date.parse('2026-01-01T00:01:00.000Z');

function scrapeAt(second: number, ...lines: readonly string[]): Scrape {
  return new Scrape(lines.join('\n'), second * 1000);
}

/** Cumulative counts, by the upper bounds of their buckets. */
function buckets(operation: string, counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).map(
    ([le, count]) =>
      `dagmount_source_request_duration_seconds_bucket{operation="${operation}",le="${le}"} ${count}`,
  );
}

function linesOf(changes: Partial<Moment> = {}, view: Partial<View> = {}, size = { columns: 100, rows: 40 }) {
  const scrape = changes.scrape ?? scrapeAt(0);
  const moment: Moment = { status: statusOf(), scrape, history: [], changes: undefined, ...changes };
  const whole: View = { moment, figures: figuresOf([scrape]), now: NOW, silentFor: undefined, ...view };
  return viewLines(whole, size).map((line) => line.map(({ text }) => text).join(''));
}

describe('the figures of top', () => {
  test('are rates of the last second and of all that was watched', () => {
    const counts = (lookups: number, reads: number) => [
      `dagmount_fuse_requests_total{opcode="lookup"} ${lookups}`,
      `dagmount_fuse_requests_total{opcode="read"} ${reads}`,
    ];
    const { kernel, window } = figuresOf([
      scrapeAt(0, ...counts(100, 0)),
      scrapeAt(9, ...counts(100, 50)),
      scrapeAt(10, ...counts(110, 60)),
    ]);
    assert.equal(window, 10);
    assert.deepEqual(
      kernel.map(({ name, now, minute, total }) => [name, now, minute, total]),
      [
        ['read', 10, 6, 60],
        ['lookup', 10, 1, 110],
      ],
    );
  });

  test('begin again with the counters of a new server', () => {
    const { store } = figuresOf([
      scrapeAt(0, 'dagmount_source_requests_total{operation="get",outcome="ok"} 1000'),
      scrapeAt(10, 'dagmount_source_requests_total{operation="get",outcome="ok"} 20'),
    ]);
    assert.equal(store[0]?.minute, 2);
  });

  test('tell the errors of the store apart', () => {
    const { store } = figuresOf([
      scrapeAt(
        0,
        'dagmount_source_requests_total{operation="get",outcome="ok"} 7',
        'dagmount_source_requests_total{operation="get",outcome="throttled"} 2',
        'dagmount_source_requests_total{operation="get",outcome="unreachable"} 1',
        'dagmount_source_requests_total{operation="list",outcome="ok"} 3',
      ),
    ]);
    assert.deepEqual(
      store.map(({ name, total, errors }) => [name, total, errors]),
      [
        ['get', 10, 3],
        ['list', 3, 0],
      ],
    );
  });

  test('are percentiles of what came since, by rule of three within a bucket', () => {
    const total = 'dagmount_source_requests_total{operation="get",outcome="ok"} 1';
    const { store } = figuresOf([
      scrapeAt(0, total, ...buckets('get', { '0.1': 1000, '1': 1000, '+Inf': 1000 })),
      scrapeAt(10, total, ...buckets('get', { '0.1': 1050, '1': 1090, '+Inf': 1100 })),
    ]);
    const { p50 = 0, p90 = 0, p99 = 0 } = store[0]?.latency ?? {};
    assert.ok(Math.abs(p50 - 0.1) < 1e-9, String(p50));
    assert.ok(Math.abs(p90 - 1) < 1e-9, String(p90));
    assert.equal(p99, Number.POSITIVE_INFINITY);
    const quiet = scrapeAt(20, total, ...buckets('get', { '0.1': 5, '+Inf': 5 }));
    assert.equal(figuresOf([quiet, quiet]).store[0]?.latency, undefined);
  });

  test('are the share of what was asked that was there', () => {
    const asked = (hits: number, misses: number) => [
      `dagmount_cache_hits_total ${hits}`,
      `dagmount_cache_misses_total ${misses}`,
    ];
    const {
      hitRate,
      asked: count,
      hitRateEver,
    } = figuresOf([scrapeAt(0, ...asked(0, 10)), scrapeAt(5, ...asked(30, 20))]);
    assert.deepEqual([hitRate, count, hitRateEver], [0.75, 40, 0.6]);
    assert.equal(figuresOf([scrapeAt(0)]).hitRate, undefined);
  });
});

describe('the view of top', () => {
  test('says what is shown, how old it is, and what is wrong', () => {
    const lines = linesOf({
      status: statusOf({
        degraded: ['held', 'source-unreachable'],
        held,
        source: {
          ...statusOf().source,
          consecutiveFailures: 3,
          failingSince: '2026-01-01T00:00:30.000Z',
          lastError: {
            code: 'unreachable',
            message: 'No route.',
            detail: null,
            hint: null,
            at: '2026-01-01T00:00:30.000Z',
          },
        },
      }),
    });
    const text = lines.join('\n');
    assert.match(text, new RegExp(`^generation +2 ${ID}, published 1 min ago: 3 files, 30 B$`, 'm'));
    assert.match(text, /^state +degraded: held, source-unreachable,/m);
    assert.match(
      text,
      /^store +the tree is as of 1 min ago; failing since 30 s ago \(3 failures\): No route\.$/m,
    );
    assert.match(text, /^held +since 1 min ago: mass-deletion, 9 files would be gone/m);
    assert.match(text, /^last error +No route\.$/m);
    assert.match(linesOf({}, { silentFor: 3.2 }).join('\n'), /^daemon +does not answer for 3 s/m);
  });

  test('says that reads which the kernel answers are not seen, and where times are not told', () => {
    const scrape = scrapeAt(0, 'dagmount_fuse_requests_total{opcode="read"} 3');
    assert.match(linesOf({ scrape }).join('\n'), /kernel answers .*most reads among them, is not seen here/);
    assert.match(linesOf({ scrape }).join('\n'), /does not tell how long its answers take/);
    const timed = scrapeAt(0, 'dagmount_fuse_request_duration_seconds_bucket{opcode="read",le="+Inf"} 3');
    assert.doesNotMatch(linesOf({ scrape: timed }).join('\n'), /does not tell how long/);
  });

  test('shows the last changes, the newest with its paths', () => {
    const item = { publishedAt: '2026-01-01T00:00:57.000Z', files: 3, added: 1, changed: 0, removed: 1 };
    const lines = linesOf({
      history: [
        { ...item, id: ID, number: 2 },
        { ...item, id: OTHER_ID, number: 1, publishedAt: '2026-01-01T00:00:00.000Z' },
      ],
      changes: { added: ['new\u001b.py'], changed: [], removed: ['gone.py'] },
    });
    const at = lines.findIndex((line) => line.includes('LAST CHANGES'));
    assert.deepEqual(lines.slice(at + 1), [
      '2       3 s ago           +1 ~0 -1',
      '  - gone.py',
      '  + new\\x1b.py',
      '1       1 min ago         +1 ~0 -1',
    ]);
  });

  test('has a place for everything on a small screen, and never more lines than rows', () => {
    const opcodes = ['lookup', 'read', 'open', 'getattr', 'readdirplus', 'statfs', 'forget', 'flush'];
    const scrape = scrapeAt(
      0,
      ...opcodes.map((opcode) => `dagmount_fuse_requests_total{opcode="${opcode}"} 1`),
    );
    for (let rows = 1; rows <= 60; rows += 1) {
      assert.ok(linesOf({ scrape }, {}, { columns: 80, rows }).length <= rows);
    }
    const small = linesOf({ scrape }, {}, { columns: 80, rows: 30 }).join('\n');
    for (const part of ['FROM THE KERNEL', 'CACHE', 'TO THE STORE', 'LAST CHANGES'])
      assert.match(small, new RegExp(part));
  });

  test('writes numbers as people read them', () => {
    assert.deepEqual([0, 0.04, 3.14, 12.6, 12345].map(rateText), ['0', '<0.1', '3.1', '13', '12,345']);
    assert.deepEqual([0.000045, 0.0012, 0.045, 3.4, 25, Number.POSITIVE_INFINITY].map(secondsText), [
      '45 µs',
      '1.2 ms',
      '45 ms',
      '3.4 s',
      '25 s',
      '> 30 s',
    ]);
  });
});
