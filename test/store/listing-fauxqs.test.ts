import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { PrefixLister } from '../../src/store/listing/listing.ts';
import type { FetchPage } from '../../src/store/listing/page-reader.ts';
import { rowsOf } from './list-answers.ts';

/** The store of the demo: it lists as people sort, continues by code units, and encodes no key. */
describe('listing fauxqs', () => {
  let server: FauxqsServer;
  let bucket: string;

  const put = async (key: string) => {
    const { status } = await fetch(`${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`, {
      method: 'PUT',
      body: 'x',
    });
    assert.equal(status, 200);
  };
  const fetchPage: FetchPage = async ({ prefix, continuationToken, startAfter, maxKeys }, signal) => {
    const query = new URLSearchParams({ 'list-type': '2', 'encoding-type': 'url', prefix });
    if (continuationToken !== undefined) query.set('continuation-token', continuationToken);
    if (startAfter !== undefined) query.set('start-after', startAfter);
    if (maxKeys !== undefined) query.set('max-keys', String(maxKeys));
    const answer = await fetch(`${bucket}?${query}`, { signal });
    assert.equal(answer.status, 200);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const list = async (prefix: string) => {
    const lister = new PrefixLister({ fetchPage, prefix });
    const listing = await lister.list({ signal: AbortSignal.timeout(30_000) });
    return rowsOf(listing).map(({ key }) => Buffer.from(key, 'latin1').toString());
  };

  before(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    bucket = `http://127.0.0.1:${server.port}/dags`;
    assert.equal((await fetch(bucket, { method: 'PUT' })).status, 200);
  });
  after(() => server.stop());

  it('misses nothing of more than one page, though its continuation tokens do', async () => {
    const names = [
      ...Array.from({ length: 1100 }, (_, i) => `dag_${String(i).padStart(4, '0')}.py`),
      'README.md',
      'Zoo/dag.py',
    ];
    for (const name of names) await put(`many/${name}`);
    assert.deepEqual((await list('many/')).toSorted(), names.toSorted());
  });

  it('reads keys with characters that an encoding would change', async () => {
    const names = ['c++.py', 'pct%41.py', 'a&b.py'];
    for (const name of names) await put(`odd/${name}`);
    assert.deepEqual((await list('odd/')).toSorted(), names.toSorted());
  });
});
