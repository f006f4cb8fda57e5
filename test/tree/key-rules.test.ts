import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { build, indices } from './arbitraries.ts';
import type { TestObject } from './listings.ts';

function shown(objects: readonly TestObject[]): string[] {
  const { generation } = build(objects);
  return indices(generation)
    .slice(1)
    .map((i) => generation.path(i) + (generation.isDirectory(i) ? '/' : ''))
    .sort();
}

function problems(objects: readonly TestObject[]): string[] {
  return build(objects).problems.map(({ key, reason }) => `${reason} ${key}`);
}

function bytes(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1');
}

describe('a key that cannot be a path', () => {
  const cases: readonly (readonly [string, string, Uint8Array | string, number?])[] = [
    ['a double slash', 'empty-component', 'a//b'],
    ['a leading slash', 'empty-component', '/a'],
    ['a slash alone', 'empty-component', '/'],
    ['two slashes at its end', 'empty-component', 'a//', 0],
    ['the component .', 'dot-component', 'a/./b'],
    ['the component ..', 'dot-component', '../b'],
    ['the component .. before a slash at its end', 'dot-component', 'a/../', 0],
    ['a NUL', 'nul', 'a\0b'],
    ['a component of 256 bytes', 'too-long', 'x'.repeat(256)],
    ['a component of 128 characters of two bytes', 'too-long', 'é'.repeat(128)],
    ['more than 4,095 bytes', 'too-long', `${'a/'.repeat(2047)}ab`],
    ['a byte that is not UTF-8', 'not-utf8', bytes('a\xff')],
    ['an overlong form', 'not-utf8', bytes('\xc0\xaf')],
    ['a surrogate', 'not-utf8', bytes('\xed\xa0\x80')],
    ['a character cut off', 'not-utf8', bytes('a/\xe6\x97')],
    ['content under a slash', 'trailing-slash', 'a/b/', 3],
    ['content under the prefix itself', 'trailing-slash', '', 3],
  ];
  for (const [what, reason, key, size] of cases) {
    it(`is left out, makes no directory and is reported as ${reason}: ${what}`, () => {
      const object = { key, size: size ?? 1 };
      const built = build([object, { key: 'z' }]);
      assert.deepEqual(shown([object, { key: 'z' }]), ['z']);
      assert.deepEqual(
        built.problems.map((problem) => problem.reason),
        [reason],
      );
      assert.notEqual(built.problems[0]!.detail, '');
    });
  }

  it('hides nothing of the same path', () => {
    const objects = [{ key: 'a' }, { key: 'a/', size: 3 }, { key: 'a//b' }, { key: 'a/..' }];
    assert.deepEqual(shown(objects), ['a']);
    assert.deepEqual(problems(objects), ['trailing-slash a/', 'dot-component a/..', 'empty-component a//b']);
  });

  it('is named for its NUL, then for its encoding, then for its first bad component', () => {
    assert.deepEqual(problems([{ key: bytes('..//\xff\0') }]), ['nul ..//\\xFF\0']);
    assert.deepEqual(problems([{ key: bytes('..//\xff') }]), ['not-utf8 ..//\\xFF']);
    assert.deepEqual(problems([{ key: '..//a/', size: 1 }]), ['dot-component ..//a/']);
  });

  it('is shown with each byte that is not UTF-8 as \\xNN', () => {
    const key = bytes('\xe6\x97\xa5/\xe6\x97/\xff\xc3\xa9');
    assert.deepEqual(problems([{ key }]), ['not-utf8 日/\\xE6\\x97/\\xFFé']);
  });
});

describe('keys', () => {
  it('may be as deep as 4,095 bytes allow', () => {
    const deepest = `${'a/'.repeat(2047)}b`;
    const { generation } = build([{ key: deepest }, { key: 'a/'.repeat(2047) }]);
    assert.equal(generation.directories, 2048);
    assert.equal(generation.path(generation.find(deepest)), deepest);
  });

  it('may hold anything else: spaces, control characters, line breaks, backslashes, 255 bytes', () => {
    const keys = [' ', '\n', '\x01', 'a\\b', '*', '...', '.hidden', 'x'.repeat(255), '日本', '\ufffd', '😀'];
    assert.deepEqual(shown(keys.map((key) => ({ key }))), [...keys].sort());
    assert.deepEqual(problems(keys.map((key) => ({ key }))), []);
  });

  it('are compared by bytes: case, NFC and NFD make different names', () => {
    assert.deepEqual(shown([{ key: 'A' }, { key: 'a' }, { key: 'é' }, { key: 'e\u0301' }]).length, 4);
  });

  it('of no bytes and no content are the root’s own marker', () => {
    assert.deepEqual(shown([{ key: '', size: 0 }]), []);
    assert.deepEqual(problems([{ key: '', size: 0 }]), []);
  });

  it('that end in a slash make a directory, empty or not', () => {
    assert.deepEqual(shown([{ key: 'a/' }, { key: 'b/c/' }, { key: 'b/d' }]), ['a/', 'b/', 'b/c/', 'b/d']);
  });

  it('that are both an object and a directory are shown as the directory, and the object is reported', () => {
    for (const directory of ['a/b', 'a/']) {
      for (const objects of [
        [{ key: 'a' }, { key: 'a-b' }, { key: 'a.c' }, { key: directory }],
        [{ key: directory }, { key: 'a.c' }, { key: 'a-b' }, { key: 'a' }],
      ]) {
        assert.ok(shown(objects).includes('a/'));
        assert.ok(!shown(objects).includes('a'));
        assert.deepEqual(problems(objects), ['shadowed a']);
      }
    }
  });

  it('that are listed twice are shown as listed last', () => {
    const { generation } = build([{ key: 'a', size: 1 }, { key: 'b' }, { key: 'a', size: 2 }]);
    assert.equal(generation.files, 2);
    assert.equal(generation.size(generation.find('a')), 2);
    assert.deepEqual(
      problems([
        { key: 'a/', size: 1 },
        { key: 'a/', size: 0 },
      ]),
      [],
    );
  });

  it('of archived objects are shown, and reported as unreadable', () => {
    const objects = [{ key: 'd/cold', archived: true }, { key: 'd/warm' }];
    const { generation } = build(objects);
    assert.equal(generation.isArchived(generation.find('d/cold')), true);
    assert.equal(generation.isArchived(generation.find('d/warm')), false);
    assert.equal(generation.isArchived(generation.find('d')), false);
    assert.deepEqual(problems(objects), ['unreadable-class d/cold']);
  });
});

describe('finding a path', () => {
  it('takes a path as it is: no slashes at its ends, no lone surrogates', () => {
    const { generation } = build([{ key: 'a/b' }, { key: '\ufffd' }]);
    assert.equal(generation.find(''), 0);
    assert.notEqual(generation.find('a/b'), -1);
    for (const path of ['/', '/a', 'a/', 'a//b', 'a/b/', 'a/b/c', '\ud800', 'A']) {
      assert.equal(generation.find(path), -1, path);
    }
  });
});
