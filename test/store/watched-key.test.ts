import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchedKeyOf } from '../../src/source/prefix/watched-key.ts';
import { FakeStore, object } from './fake-store.ts';
import { openStore, patience } from './open-store.ts';

for (const etag of ['', '""']) {
  test(`a watched key whose ETag is ${etag === '' ? 'missing' : 'empty'} is told apart by date and size`, async (t) => {
    let [body, date] = ['1', 'Wed, 12 Oct 2022 17:50:00 GMT'];
    const fake = await FakeStore.start(t, () =>
      object(body, { etag: etag === '' ? [] : etag, 'last-modified': date }),
    );
    const { look } = watchedKeyOf('version.txt', openStore(t, fake.origin).store)!;
    const seen = [await look(undefined, patience())];
    seen.push(await look(seen[0], patience()));
    date = 'Wed, 12 Oct 2022 17:50:01 GMT';
    seen.push(await look(seen[1], patience()));
    body = '22';
    seen.push(await look(seen[2], patience()));
    assert.equal(seen[1], seen[0]);
    assert.equal(new Set(seen).size, 3);
    for (const { headers } of fake.requests) assert.equal(headers['if-none-match'], undefined);
  });
}
