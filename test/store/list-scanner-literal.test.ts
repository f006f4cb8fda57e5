import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnknownEncodingError } from '../../src/store/listing/errors.ts';
import { keys, OBJECT, page, refusal, scan } from './scanning.ts';

describe('a page of a store that does not say that it encoded the keys', () => {
  const unsaid = (...keys: readonly string[]) =>
    page(keys.map((key) => OBJECT.replace('a.py', key)).join('')).replace(
      '<EncodingType>url</EncodingType>',
      '',
    );

  it('is read where both readings agree', () => {
    assert.deepEqual(keys(scan(unsaid('a.py', 'b-c_d.py')).rows), ['a.py', 'b-c_d.py']);
    assert.deepEqual(keys(scan(unsaid('a b.py', 'ü.py')).rows), ['a b.py', 'ü.py']);
  });

  it('is read literally where a key shows that it is not encoded', () => {
    assert.deepEqual(keys(scan(unsaid('c++.py', 'a b.py')).rows), ['c++.py', 'a b.py']);
    assert.deepEqual(keys(scan(unsaid('100%.py', 'a%41+.py')).rows), ['100%.py', 'a%41+.py']);
    assert.deepEqual(keys(scan(unsaid('%41.py').replaceAll('dags/', 'd+gs/'), { prefix: 'd+gs/' }).rows), [
      '%41.py',
    ]);
  });

  it('is refused where a key has two readings, unless the store is known to be literal', () => {
    for (const key of ['c++.py', 'a%41.py']) {
      const error = refusal(unsaid('a.py', key, 'z%2B.py'));
      assert.ok(error instanceof UnknownEncodingError);
      assert.equal(error.key, `dags/${key}`);
      assert.deepEqual(keys(scan(unsaid(key), { literal: true }).rows), [key]);
    }
  });

  it('is read as encoded once the store says so, whatever was known before', () => {
    assert.deepEqual(keys(scan(page(OBJECT.replace('a.py', 'a+b.py')), { literal: true }).rows), ['a b.py']);
  });
});
