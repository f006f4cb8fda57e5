import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoredSettings, proxyFor, readProxySettings } from '../../src/store/http/proxy-settings.ts';
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
  ['127.0.0.0/8', 'http://127.0.0.1:9000', true],
  ['10.0.0.0/8', 'http://10.255.1.2', true],
  ['10.0.0.0/8', 'http://11.0.0.1', false],
  ['10.0.0.0/8', 'http://10.example.com', false],
  ['10.1.2.3/8', 'http://10.9.9.9', true],
  ['0.0.0.0/0', 'https://1.2.3.4', true],
  ['192.168.1.7/32', 'http://192.168.1.7:9000', true],
  ['fd00::/8', 'http://[fd12::1]:9000', true],
  ['fd00::/8', 'http://[fe80::1]', false],
  ['10.0.0.0/8', 'http://[::ffff:10.0.0.1]', true],
  ['::ffff:10.0.0.0/104', 'http://10.0.0.1', true],
  ['localhost, 10.0.0.0/8 .internal', 'http://10.0.0.1', true],
  ['localhost 10.0.0.1', 'http://10.0.0.1', true],
  [' localhost , store ', 'http://store', true],
  ['[::1]', 'http://[::1]:9000', true],
  ['[::1]:9000', 'http://[::1]:9000', true],
  ['[::1]:9001', 'http://[::1]:9000', false],
  ['0:0:0:0:0:0:0:1', 'http://[::1]:9000', true],
  ['[fd00::/8]', 'http://[fd12::1]', true],
  ['10.0.0.1:9000', 'http://10.0.0.1:9000', true],
  ['10.0.0.1:9001', 'http://10.0.0.1:9000', false],
  ['store:443', 'https://store', true],
  ['store:80', 'https://store', false],
  ['.example.com:9000', 'http://s3.example.com:9000', true],
  ['*.example.com', 'http://s3.example.com', true],
  ['*.example.com', 'http://example.com', false],
  ['*.example.com', 'http://badexample.com', false],
  ['example.com.', 'http://s3.example.com', true],
  ['example.com', 'http://s3.example.com./', true],
  ['bücher.example', 'http://s3.bücher.example', true],
  ['my_store', 'http://my_store:9000', true],
  ['localhost,*', 'http://anything', true],
  ['::1', 'http://[::1]:9000', true],
  ['*', 'http://anything', true],
  ['', 'http://anything', false],
];

for (const [no, origin, expected] of exempt) {
  test(`NO_PROXY=${JSON.stringify(no)} ${expected ? 'exempts' : 'does not exempt'} ${origin}`, () => {
    assert.equal(wayTo(origin, { ...BOTH, NO_PROXY: no }) === undefined, expected);
  });
}

test('what NO_PROXY has and is not understood is named, and exempts nothing', () => {
  const NO_PROXY =
    'store, 10.*, http://store, 10.0.0.0/33, 10.0.0.0/8:80, [::1, user:hush@host, store:x, st*re, ., a b\u001b, 10.0.0.0/a, 1.2.3/8';
  const settings = readProxySettings({ ...HTTP, NO_PROXY });
  const ignored = ignoredSettings(settings);
  assert.deepEqual(ignored?.message.split(': ')[1]?.split(', '), [
    '10.*',
    'http://store',
    '10.0.0.0/33',
    '10.0.0.0/8:80',
    '[::1',
    '***@host',
    'store:x',
    'st*re',
    '.',
    'b\\x1b',
    '10.0.0.0/a',
    '1.2.3/8',
  ]);
  assert.doesNotMatch(`${ignored?.message}${ignored?.hint}`, /hush/);
  assert.notEqual(proxyFor(new URL('http://10.1.1.1'), settings), undefined);
});

test('an odd NO_PROXY is no news where there is no proxy, or everything is understood', () => {
  assert.equal(ignoredSettings(readProxySettings({ NO_PROXY: '10.*' })), undefined);
  assert.equal(
    ignoredSettings(readProxySettings({ ...HTTP, NO_PROXY: 'a,*.b, 10.0.0.0/8,[::1]:1,*' })),
    undefined,
  );
});

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
        !/hush/.test(error.message + error.hint),
    );
  });
}
