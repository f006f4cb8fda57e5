import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor, readProxySettings } from '../../src/store/proxy-settings.ts';
import { SettingError } from '../../src/store/setting-error.ts';

function wayTo(origin: string, environment: Readonly<Record<string, string>>): string | undefined {
  return proxyFor(new URL(origin), readProxySettings(environment))?.url;
}

const HTTP = { HTTP_PROXY: 'http://proxy:3128' };
const BOTH = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' };

test('each scheme has its own proxy', () => {
  assert.equal(wayTo('http://store:9000', BOTH), 'http://plain:1');
  assert.equal(wayTo('https://store', BOTH), 'http://secure:2');
});

test('a proxy for http is none for https, as in the AWS CLI', () => {
  assert.equal(wayTo('https://store', HTTP), undefined);
});

test('lower-case variables win, and switch a proxy off where they are empty', () => {
  assert.equal(wayTo('http://store', { ...HTTP, http_proxy: 'http://lower:1' }), 'http://lower:1');
  assert.equal(wayTo('http://store', { ...HTTP, http_proxy: '' }), undefined);
});

test('a proxy without a scheme is an http proxy', () => {
  assert.equal(wayTo('http://store', { HTTP_PROXY: 'proxy:3128' }), 'http://proxy:3128');
  assert.equal(wayTo('http://store', { HTTP_PROXY: '//proxy:3128' }), 'http://proxy:3128');
});

test('ALL_PROXY means nothing, as in the AWS CLI', () => {
  assert.equal(wayTo('http://store', { ALL_PROXY: 'http://proxy:1' }), undefined);
});

const exempt: readonly (readonly [no: string, origin: string, exempt: boolean])[] = [
  ['store', 'http://store:9000', true],
  ['STORE', 'http://store:9000', true],
  ['other, store', 'http://store:9000', true],
  ['store:9000', 'http://store:9000', true],
  ['store:9001', 'http://store:9000', false],
  ['.example.com', 'http://s3.example.com', true],
  ['.example.com', 'http://example.com', true],
  ['example.com', 'http://s3.example.com', true],
  ['example.com', 'http://badexample.com', false],
  ['127.0.0.1', 'http://127.0.0.1:9000', true],
  ['127.0.0.0/8', 'http://127.0.0.1:9000', false],
  ['::1', 'http://[::1]:9000', true],
  ['*', 'http://anything', true],
  ['', 'http://anything', false],
];

for (const [no, origin, expected] of exempt) {
  test(`NO_PROXY=${JSON.stringify(no)} ${expected ? 'exempts' : 'does not exempt'} ${origin}`, () => {
    assert.equal(wayTo(origin, { ...HTTP, NO_PROXY: no }) === undefined, expected);
  });
}

test('user and password in the address become a header, also where they are encoded', () => {
  const proxy = proxyFor(
    new URL('http://store'),
    readProxySettings({ HTTP_PROXY: 'http://us%40er:p%3Ass@proxy:1' }),
  );
  assert.deepEqual(proxy, {
    url: 'http://proxy:1',
    authorization: `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`,
  });
});

for (const value of [
  'socks5://user:hush@proxy:1',
  'http://',
  'http://us%er:hush@proxy',
  'http://proxy:99999',
]) {
  test(`a proxy that cannot be used is refused, and a password in it not repeated: ${value}`, () => {
    assert.throws(
      () => readProxySettings({ HTTPS_PROXY: value }),
      (error) =>
        error instanceof SettingError &&
        error.code === 'bad-setting' &&
        /HTTPS_PROXY/.test(error.message) &&
        !/hush/.test(error.message + error.mend),
    );
  });
}
