import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  isPrintable,
  printable,
  printableJson,
  printableLines,
  printableName,
} from '../../src/base/printable.ts';
import { HOSTILE, leftRaw } from '../support/hostile-text.ts';

/** Replaces each escape by the character that it stands for. */
function readBack(shown: string): string {
  return shown.replace(
    /\\(?:(\\)|(n)|(t)|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/g,
    (_, backslash, line, tab, ...codes: (string | undefined)[]) => {
      if (backslash !== undefined) return '\\';
      if (line !== undefined) return '\n';
      if (tab !== undefined) return '\t';
      return String.fromCodePoint(
        Number.parseInt(codes.slice(0, 3).find((code) => code !== undefined) ?? '', 16),
      );
    },
  );
}

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...HOSTILE, '\\', 'x', 'u', 'n', '{'), fc.string()),
});

describe('text of others', () => {
  test('has each class of what a terminal obeys or hides replaced by an escape', () => {
    const shown = printable(HOSTILE.join('-'));
    assert.deepEqual(leftRaw(shown), []);
    assert.match(shown, /^\\x00-.*\\x1b.*\\x7f.*\\x9b.*\\u061c.*\\u202e.*\\u2066.*\\ud800.*\\u\{e0041\}/);
  });

  test('keeps what every terminal shows', () => {
    const plain = 'dags/über/日本語/naïve "q" \\ back 👍 – …';
    assert.equal(printable(plain), plain);
    assert.equal(isPrintable(plain), true);
    assert.equal(isPrintable('a\u200bb'), false);
  });

  test('is not changed by being cleaned twice, whatever it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = printable(text);
        assert.deepEqual(leftRaw(once), []);
        assert.equal(printable(once), once);
        assert.equal(printable(printableName(text)), printableName(text));
      }),
    );
  });

  test('is cut at its bound, and neither a code point nor an escape is split', () => {
    assert.equal(printable('a👍👍', 2), 'a…');
    assert.equal(printable('a👍👍', 3), 'a👍…');
    assert.equal(printable('ab\u001b\u001b', 7), 'ab\\x1b…');
    assert.equal(printable('ab\u001b', 6), 'ab\\x1b');
    assert.equal(printable('ab\u{e0041}c', 7), 'ab…');
    assert.ok(printable('\u001b'.repeat(1e6)).length <= 8193);
    assert.ok(printableName('\\'.repeat(1e6)).length <= 8193);
  });

  test('of several lines keeps its lines and tabs, and nothing else that moves the cursor', () => {
    assert.equal(printableLines('a\tb\nc\rd\u001b[2J'), 'a\tb\nc\\x0dd\\x1b[2J');
  });
});

describe('a name', () => {
  test('looks like no other one', () => {
    assert.equal(printableName('a\u001b'), 'a\\x1b');
    assert.equal(printableName('a\\x1b'), 'a\\\\x1b');
    assert.equal(printableName('C:\\dir'), 'C:\\dir');
  });

  test('can be read back from what is shown of it', () => {
    fc.assert(fc.property(anyText, (name) => assert.equal(readBack(printableName(name, 1e6)), name)));
  });
});

describe('JSON', () => {
  test('means the same, and has nothing raw in it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = printableJson(JSON.stringify({ [text]: [text] }, undefined, 2));
        assert.deepEqual(leftRaw(json.replaceAll('\n', '')), []);
        assert.deepEqual(JSON.parse(json), { [text]: [text] });
      }),
    );
  });
});
