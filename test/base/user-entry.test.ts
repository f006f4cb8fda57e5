import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasUserEntry, homeDirectory } from '../../src/base/user-entry.ts';

/** Fails as libuv does for a uid without an entry. */
function noEntry(): never {
  throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR', errno: -2 });
}

test('a uid without an entry and without HOME has no home directory, and that is no error', () => {
  assert.equal(homeDirectory({ homedir: noEntry, userInfo: noEntry }), undefined);
  assert.equal(hasUserEntry({ homedir: noEntry, userInfo: noEntry }), false);
});

test('an empty HOME counts as unset', () => {
  assert.equal(homeDirectory({ homedir: () => '', userInfo: noEntry }), undefined);
});

test('HOME is enough for a home directory, and gives no name', () => {
  assert.equal(homeDirectory({ homedir: () => '/srv', userInfo: noEntry }), '/srv');
});

test('the user of this process has a name and a home directory', () => {
  assert.notEqual(homeDirectory(), undefined);
  assert.equal(hasUserEntry(), true);
});

test('an error of this program is not mistaken for a missing entry', () => {
  const fault = (): never => {
    throw new TypeError('fault');
  };
  assert.throws(() => homeDirectory({ homedir: fault, userInfo: fault }), TypeError);
});
