import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathFilter } from '../../src/tree/filter.ts';
import { build, indices } from './arbitraries.ts';
import type { TestObject } from './listings.ts';

function shown(
  objects: readonly TestObject[],
  include: readonly string[],
  exclude: readonly string[],
): string[] {
  const { generation } = build(objects, { filter: PathFilter.compile({ include, exclude }) });
  return indices(generation)
    .slice(1)
    .map((i) => generation.path(i) + (generation.isDirectory(i) ? '/' : ''))
    .sort();
}

const keys = (...all: string[]): TestObject[] => all.map((key) => ({ key }));

describe('--include and --exclude', () => {
  const tree = keys('dags/a.py', 'dags/a.pyc', 'dags/sub/b.py', 'docs/x.md', 'README.md', 'logs/');

  it('given none show everything', () => {
    assert.equal(PathFilter.compile({ include: [], exclude: [] }).showsAll, true);
    assert.equal(shown(tree, [], []).length, 9);
  });

  it('show what matches an include and no exclude; what is hidden makes no directory', () => {
    assert.deepEqual(shown(tree, ['*.py'], []), ['dags/', 'dags/a.py', 'dags/sub/', 'dags/sub/b.py']);
    assert.deepEqual(shown(tree, [], ['*.py', '*.md']), ['dags/', 'dags/a.pyc', 'logs/']);
    assert.deepEqual(shown(tree, ['dags/'], ['sub/', '*.pyc']), ['dags/', 'dags/a.py']);
    assert.deepEqual(shown(tree, ['/README.md', 'docs'], []), ['README.md', 'docs/', 'docs/x.md']);
  });

  it('apply to a directory’s marker as to a directory', () => {
    assert.deepEqual(shown(keys('logs/', 'a'), [], ['logs/']), ['a']);
    assert.deepEqual(shown(keys('logs/', 'a'), ['logs/'], []), ['logs/']);
    assert.deepEqual(shown(keys('logs/', 'logs/x', 'a'), ['logs/x'], []), ['logs/', 'logs/x']);
    assert.deepEqual(shown(keys('logs'), [], ['logs/']), ['logs']);
  });

  it('let a later pattern of one list take back an earlier one', () => {
    assert.deepEqual(shown(keys('a.py', 'b.py'), [], ['*.py', '!b.py']), ['b.py']);
    assert.deepEqual(shown(keys('a.py', 'b.py'), ['*.py', '!b.py'], []), ['a.py']);
  });

  it('keep what they hide out of the problems and the conflicts', () => {
    const objects = [
      ...keys('tmp/a//b', 'tmp/../c', 'x', 'x/y', 'z', 'z/y'),
      { key: Buffer.from('tmp/\xff', 'latin1') },
      { key: 'tmp/cold', archived: true },
    ];
    const filter = PathFilter.compile({ include: [], exclude: ['tmp/', 'x/', '/z'] });
    const { problems, generation } = build(objects, { filter });
    assert.deepEqual(problems, []);
    assert.equal(generation.files, 1);
    assert.equal(generation.isDirectory(generation.find('x')), false);
    assert.equal(generation.find('z'), -1);
  });

  it('compare by bytes: case counts, NFC is not NFD, ? and [] stand for one byte, as in git', () => {
    const objects = keys('A.py', 'é.py', 'e\u0301.py', '日');
    assert.deepEqual(shown(objects, ['a.py'], []), []);
    assert.deepEqual(shown(objects, ['é.py'], []), ['é.py']);
    assert.deepEqual(shown(objects, ['e\u0301.py'], []), ['e\u0301.py']);
    assert.deepEqual(shown(objects, ['?.py'], []), ['A.py']);
    assert.deepEqual(shown(objects, ['??.py'], []), ['é.py']);
    assert.deepEqual(shown(objects, ['???'], []), ['日']);
    assert.deepEqual(shown(objects, ['日*'], []), ['日']);
    // The bytes of à end in 0xA0, and U+FEFF is a byte order mark: neither is trimmed.
    assert.deepEqual(shown(keys('à', '\ufeffa', 'a'), ['à', '\ufeffa'], []), ['à', '\ufeffa']);
  });

  it('take any key without throwing, the root’s marker and hostile ones included', () => {
    const filter = PathFilter.compile({ include: ['*.py'], exclude: ['/x', '**/y/'] });
    for (const key of ['/', '//', './a.py', '../a.py', 'a//b.py', '..', '/a.py', '\0', 'a/../b']) {
      assert.equal(typeof filter.shows(key), 'boolean', key);
    }
    assert.equal(filter.shows(''), true);
    assert.equal(filter.shows('__proto__/constructor.py'), true);
    assert.equal(filter.shows('__proto__'), false);
  });

  it('go on deciding alike after very many paths', () => {
    const filter = PathFilter.compile({ include: [], exclude: ['*.pyc', 'd7/'] });
    for (let i = 0; i < 25_000; i++) {
      assert.equal(filter.shows(`d${i % 10}/${i}.py`), i % 10 !== 7);
    }
    assert.equal(filter.shows('a.pyc'), false);
  });

  it('say which rule decides on a path', () => {
    const filter = PathFilter.compile({ include: ['dags/', 'é*'], exclude: ['*.pyc', 'old/'] });
    const explain = (path: string) => Object.values(filter.explain(path));
    assert.deepEqual(explain('dags/a.py'), [true, 'include', 'dags/']);
    assert.deepEqual(explain('é.py'), [true, 'include', 'é*']);
    assert.deepEqual(explain('dags/a.pyc'), [false, 'exclude', '*.pyc']);
    assert.deepEqual(explain('dags/old/a.py'), [false, 'exclude', 'old/']);
    assert.deepEqual(explain('README'), [false, 'include', undefined]);
    assert.deepEqual(Object.values(PathFilter.compile({ include: [], exclude: ['a'] }).explain('b')), [
      true,
      undefined,
      undefined,
    ]);
  });

  it('refuse a pattern that could never match', () => {
    for (const pattern of ['', ' ', '!', '/', '#dags', 'a\nb', 'a\\', '!a\\\\\\']) {
      for (const patterns of [
        { include: [pattern], exclude: [] },
        { include: [], exclude: [pattern] },
      ]) {
        assert.throws(() => PathFilter.compile(patterns), { code: 'bad-pattern' }, pattern);
      }
    }
    assert.deepEqual(shown(keys('#a', 'b'), ['\\#a'], []), ['#a']);
    assert.deepEqual(shown(keys('!a', 'b'), ['\\!a'], []), ['!a']);
  });
});
