import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContentStore } from '../../../src/cache/receive.ts';
import { SwitchedContent } from '../../../src/source/standby/switched-content.ts';

const { signal } = new AbortController();

/** A store that answers only the short way. */
function shortly(name: string): ContentStore {
  return {
    get: async () => assert.fail('the long way'),
    getSmall: async () => ({ bytes: Buffer.from(name), versionId: undefined }),
  };
}

describe('the short way to content of one of several stores', () => {
  it('leads to the store that trees are read from, and to none for an ETag that another store gave', async () => {
    const content = new SwitchedContent(shortly('first'));
    const get = async (etag: string): Promise<string | undefined> =>
      (await content.getSmall('a.py', { signal, etag, size: 5 }))?.bytes.toString();
    assert.equal(await get('listed'), 'first');
    const shown = { name: '0'.repeat(32), path: 'a.py', etag: 'listed', size: 5 };
    content.use(shortly('second'), new Map([['a.py', { shown, etag: 'second', lastModified: 0 }]]));
    assert.equal(await get('listed'), undefined);
    assert.equal(await get('newer'), 'second');
  });
});
