import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAgo,
  formatCount,
  formatDuration,
  formatSize,
  formatTable,
  plural,
  wrapped,
} from '../../src/cli/format.ts';

test('sizes are those that people read', () => {
  const sizes = [0, 1, 1023, 1024, 1_258_291, 1_048_575, 2 ** 31, 2 ** 40, 2 ** 60];
  assert.deepEqual(sizes.map(formatSize), [
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.2 MiB',
    '1.0 MiB',
    '2.0 GiB',
    '1.0 TiB',
    '1024.0 PiB',
  ]);
});

test('counts have their thousands apart', () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual(
    [0, 1, 2].map((count) => plural(count, 'file')),
    ['0 files', '1 file', '2 files'],
  );
});

test('durations have two units at most', () => {
  const durations = [0, 999, 1_000, 59_400, 60_000, 125_000, 3_600_000, 15_000_000, 266_400_000];
  assert.deepEqual(durations.map(formatDuration), [
    '0 ms',
    '999 ms',
    '1 s',
    '59 s',
    '1 min',
    '2 min 5 s',
    '1 h',
    '4 h 10 min',
    '3 d 2 h',
  ]);
});

test('times are told as how long ago', () => {
  assert.equal(formatAgo(1_000, 4_000), '3 s ago');
  assert.equal(formatAgo(4_000, 4_200), 'just now');
  assert.equal(formatAgo(9_000, 4_000), 'just now');
});

test('tables are aligned, without blanks at the ends', () => {
  assert.equal(
    formatTable(
      ['A', 'LONG'],
      [
        ['xyz', '1'],
        ['', '22'],
      ],
    ),
    'A    LONG\nxyz  1\n     22\n',
  );
});

test('text is broken at blanks, and a long word stays whole', () => {
  assert.equal(wrapped('one two three', 9, '  '), '  one two\n  three\n');
  assert.equal(wrapped('s3://a-long-address x', 5, ''), 's3://a-long-address\nx\n');
});
