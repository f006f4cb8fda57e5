import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplacedContent } from '../../src/cache/replaced-content.ts';
import type { GetOptions, ObjectBody } from '../../src/store/object-store.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';

const { signal } = new AbortController();
const part = (start: number) => ({ signal, ifMatch: 'old', range: { start, end: start + 8 } });

/** An object that had the ETag `old`. `now`: the error of a request without a version id; `byId`: of one with it. */
function open(versionId: string | undefined) {
  const state: { now?: StoreErrorCode; byId?: StoreErrorCode } = {};
  const requests: (string | undefined)[] = [];
  const replaced: string[] = [];
  const get = async (path: string, options: GetOptions): Promise<ObjectBody> => {
    requests.push(options.versionId);
    assert.equal(options.ifMatch, 'old');
    const code = options.versionId === undefined ? state.now : state.byId;
    if (code !== undefined) throw new StoreError(code, path, '', false);
    return { etag: 'old', size: 16, lastModified: 0, versionId, body: (async function* () {})() };
  };
  const content = new ReplacedContent({ get }, (path, etag) => replaced.push(`${path} ${etag}`));
  return { state, requests, replaced, content };
}

describe('content that the store has replaced', () => {
  for (const now of ['changed', 'gone'] as const) {
    it(`is read on by its version id where it is ${now}, and a newer listing is asked for`, async () => {
      const { state, requests, replaced, content } = open('v1');
      await content.get('a', part(0));
      state.now = now;
      assert.equal((await content.get('a', part(8))).etag, 'old');
      assert.deepEqual(requests, [undefined, undefined, 'v1']);
      assert.deepEqual(replaced, ['a old']);
    });
  }

  for (const byId of ['gone', 'denied', 'bad-request', 'changed'] as const) {
    it(`is replaced, and no more than that, where its version is ${byId}`, async () => {
      const { state, content } = open('v1');
      await content.get('a', part(0));
      Object.assign(state, { now: 'changed', byId });
      await assert.rejects(content.get('a', part(8)), { code: 'changed' });
    });
  }

  it('is not said to be replaced for good where the store does not answer', async () => {
    const { state, content } = open('v1');
    await content.get('a', part(0));
    Object.assign(state, { now: 'changed', byId: 'unreachable' });
    await assert.rejects(content.get('a', part(8)), { code: 'unreachable' });
  });

  it('is not asked for by an id that nobody has seen', async () => {
    const { state, requests, content } = open(undefined);
    await content.get('a', part(0));
    state.now = 'changed';
    await assert.rejects(content.get('a', part(8)), { code: 'changed' });
    assert.equal(requests.length, 2);
  });

  it('has nothing to do with other failures', async () => {
    const { state, requests, replaced, content } = open('v1');
    await content.get('a', part(0));
    state.now = 'unreachable';
    await assert.rejects(content.get('a', part(8)), { code: 'unreachable' });
    assert.equal(requests.length, 2);
    assert.deepEqual(replaced, []);
  });

  it('has a version id that can be shown, if it came the short way', async () => {
    const asked = { signal, etag: 'old', size: 16 };
    const answer = { bytes: Buffer.alloc(16), versionId: 'v1' };
    const refuses = async () => assert.fail('the long way');
    const content = new ReplacedContent({ get: refuses, getSmall: async () => answer }, () => undefined);
    assert.deepEqual(await content.getSmall('a', asked), answer);
    assert.equal(content.versionIdOf('a', 'old'), 'v1');
    const without = new ReplacedContent({ get: refuses }, () => undefined);
    assert.equal(without.getSmall('a', asked), undefined);
  });
});
