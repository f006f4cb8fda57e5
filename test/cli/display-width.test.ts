import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { displayWidth } from '../../src/cli/display-width.ts';
import { formatTable } from '../../src/cli/format.ts';

describe('a table', () => {
  test('has its columns under each other with wide and with combining characters', () => {
    const names = ['plain.py', 'größe.py', 'gro\u0308ße.py', '売上.py', '데이터.py', '📈.py', 'ｗide.py'];
    const [head = '', ...lines] = formatTable(
      ['PATH', 'SIZE'],
      names.map((name) => [name, '1 B']),
    ).split('\n');
    const column = head.indexOf('SIZE');
    for (const line of lines.slice(0, names.length)) {
      assert.equal(displayWidth(line.slice(0, line.indexOf('1 B'))), column, line);
    }
  });
});

describe('the width of a text', () => {
  for (const [text, width] of [
    ['', 0],
    ['dags', 4],
    ['größe', 5],
    ['gro\u0308ße', 5],
    ['売上', 4],
    ['📈', 2],
    ['ｗ', 2],
    ['\u0301', 0],
  ] as const) {
    test(`of ${JSON.stringify(text)} is ${width}`, () => {
      assert.equal(displayWidth(text), width);
    });
  }
});
