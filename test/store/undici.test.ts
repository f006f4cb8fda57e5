import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Agent, Pool, ProxyAgent } from '../../src/store/http/undici.ts';
import { repository } from '../support/repository.ts';

const require = createRequire(import.meta.url);

/*
 * src/store/http/undici.ts loads files that are not undici's interface, and gives a prototype what undici's index gives
 * it. These tests say what broke where a new version moves any of that.
 */
describe('undici', () => {
  test('is installed in the one version whose files were looked at', () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(repository, 'package.json'), 'utf8'),
    ) as Readonly<Record<string, Readonly<Record<string, string>>>>;
    const wanted = dependencies?.undici ?? devDependencies?.undici ?? '';
    assert.match(wanted, /^\d+\.\d+\.\d+$/, 'package.json pins the version');
    const installed = JSON.parse(readFileSync(require.resolve('undici/package.json'), 'utf8')) as {
      readonly version: string;
    };
    assert.equal(installed.version, wanted);
  });

  test('has the classes of its index in the files that are loaded one by one', () => {
    const index = require('undici') as Readonly<Record<string, unknown>>;
    assert.equal(Agent, index.Agent, 'undici/lib/dispatcher/agent.js');
    assert.equal(Pool, index.Pool, 'undici/lib/dispatcher/pool.js');
    assert.equal(ProxyAgent, index.ProxyAgent, 'undici/lib/dispatcher/proxy-agent.js');
  });

  test('gives dispatchers by its index what undici.ts gives them', () => {
    const source = readFileSync(join(require.resolve('undici/package.json'), '../index.js'), 'utf8');
    assert.match(source, /Object\.assign\(Dispatcher\.prototype, api\)/, 'the index does it otherwise now');
    const { prototype } = require('undici/lib/dispatcher/dispatcher.js') as { readonly prototype: object };
    const api = require('undici/lib/api/index.js') as Readonly<Record<string, unknown>>;
    for (const name of ['request', 'connect', 'stream', 'pipeline', 'upgrade']) {
      assert.equal(typeof api[name], 'function', `undici/lib/api/index.js has no ${name}`);
      assert.equal((prototype as Readonly<Record<string, unknown>>)[name], api[name]);
    }
  });
});
