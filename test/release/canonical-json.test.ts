import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type JsonValue, parseCanonicalJson } from '../../src/release/canonical-json.ts';
import { compareCodePoints } from '../../src/release/code-points.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('canonical JSON', () => {
  test('escapes everything outside of 0x20 to 0x7e, DEL too, in lower case and with surrogate pairs', () => {
    assert.equal(canonicalJson('\u007f é\u{1f600}\n"\\/'), '"\\u007f \\u00e9\\ud83d\\ude00\\n\\"\\\\/"');
  });

  test('sorts keys by code point, not by UTF-16 unit', () => {
    assert.equal(
      canonicalJson({ '\u{1f600}': 1, '\uffff': 2, a: 3 }),
      '{"a":3,"\\uffff":2,"\\ud83d\\ude00":1}',
    );
    assert.ok(compareCodePoints('\uffff', '\u{1f600}') < 0);
    assert.ok(compareCodePoints('a', 'ab') < 0);
  });

  test('leaves out a key whose value is undefined', () => {
    assert.equal(canonicalJson({ a: undefined, b: [] }), '{"b":[]}');
  });

  for (const [what, value] of [
    ['half of a surrogate pair', '\ud800'],
    ['a fraction', 0.5],
    ['a number that a double does not hold', 2 ** 53],
    ['minus zero', -0],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => canonicalJson(value), { code: 'malformed' });
    });
  }

  for (const [what, text] of [
    ['a space', '{"a": 1}'],
    ['a key that is there twice', '{"a":1,"a":2}'],
    ['keys out of order', '{"b":1,"a":2}'],
    ['an escape in upper case', '"\\u00E9"'],
    ['a character that is not escaped', '"é"'],
    ['an escape that is not needed', '"\\u0061"'],
    ['an exponent', '1e2'],
    ['a byte order mark', '\ufeff1'],
    ['a line at its end', '1\n'],
    ['nothing', ''],
  ] as const) {
    test(`is not read where it has ${what}`, () => {
      assert.throws(() => parseCanonicalJson(bytes(text), 'it'), { code: 'malformed' });
    });
  }

  test('is not read where it is not UTF-8', () => {
    assert.throws(() => parseCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22), 'it'), { code: 'malformed' });
  });

  test('is not read beyond a depth that no document of ours has', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    assert.throws(() => parseCanonicalJson(bytes(deep), 'it'), { code: 'malformed' });
  });

  const json = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger().map((number) => number + 0),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Cs}/u.test(text)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
    ),
  })).value;

  test('is read back as what was written', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        assert.match(text, /^[ -~]*$/);
        assert.deepEqual(parseCanonicalJson(bytes(text), 'it'), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('is read where writing its value gives the same text, and nowhere else', () => {
    const isRead = (text: string): boolean => {
      try {
        parseCanonicalJson(bytes(text), 'it');
        return true;
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'malformed');
        return false;
      }
    };
    const isItsOwnText = (text: string): boolean => {
      try {
        return canonicalJson(JSON.parse(text)) === text;
      } catch {
        return false;
      }
    };
    const token = fc.constantFrom(
      ...'{}[],:"\\ \n\t0129-.eE+/'.split(''),
      ...['"a"', '"b":', '"a":', '"', 'null', 'true', '-0', '1.0', '1e2', '01', '9007199254740991'],
      ...['9007199254740992', '-9007199254740991', '12345678901234567890', '"\\u00e9"', '"\\u00E9"'],
      ...[
        '\\u0061',
        '\\ud83d\\ude00',
        '\\ud83d',
        '\\ude00',
        '\\n',
        '\\/',
        '\\u000a',
        '\\u007f',
        '\\u001f',
        'é',
      ],
      ...['"\\ufffe":1', '"\\ud800\\udc00":1', '"~":1', '"__proto__":1'],
    );
    const tokens = fc.array(token, { maxLength: 12 }).map((all) => all.join(''));
    const edited = fc
      .tuple(json, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), token), { minLength: 1, maxLength: 3 }))
      .map(([value, edits]) =>
        edits.reduce((text, [at, length, other]) => {
          const place = at % (text.length + 1);
          return text.slice(0, place) + other + text.slice(place + length);
        }, canonicalJson(value)),
      );
    fc.assert(
      fc.property(fc.oneof(tokens, edited), (text) => assert.equal(isRead(text), isItsOwnText(text), text)),
      { numRuns: 20_000 },
    );
  });

  test('has the bytes that Python writes', () => {
    const values = fc.sample(json, 200);
    const program = [
      'import json, sys',
      'for line in sys.stdin.buffer:',
      '    value = json.loads(line)',
      '    print(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True))',
    ].join('\n');
    const input = values.map((value) => `${JSON.stringify(value)}\n`).join('');
    const said = execFileSync('python3', ['-c', program], { input, timeout: 60_000 }).toString();
    assert.deepEqual(said.split('\n').slice(0, -1), values.map(canonicalJson));
  });
});
