import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { slowTwin } from '../support/slow-twin.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

describe('a quiet prefix', { skip: mountImpossible }, () => {
  slowTwin('store/quiet-prefix.test.ts: requests a poll, the first listing and every later one')(
    'costs one request a page of its listing and poll, and no other',
    async (t) => {
      const store = await openStore(t, manyFiles(50, 300));
      const proxy = await StoreProxy.start({ upstream: store.endpoint });
      defer(t, () => proxy.close());
      await mountStore(t, { ...store, endpoint: proxy.endpoint });
      proxy.resetCounts();
      await waitFor('ten polls', () => proxy.count('LIST') >= 10, 60_000);
      assert.equal(proxy.count(), proxy.count('LIST'), 'nothing but listings');
    },
  );
});

describe('--watch-key', { skip: mountImpossible }, () => {
  test('costs one conditional GET a poll, and shows a deploy as one generation', async (t) => {
    const store = await openStore(t, new Map([...manyFiles(50, 300), ['version.txt', '1']]));
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(t, () => proxy.close());
    const mount = await mountStore(
      t,
      { ...store, endpoint: proxy.endpoint },
      { args: ['--watch-key', 'version.txt', '--poll-interval', '250ms'] },
    );
    const look = (): Promise<string> => shell(mount.target, 'cat version.txt; ls new 2>/dev/null | wc -l');
    assert.equal(await look(), '10\n');
    proxy.resetCounts();
    let conditional = 0;
    proxy.fault = ({ kind, url, header }) => {
      if (kind === 'GET' && url.includes('version.txt') && header('if-none-match') !== undefined)
        conditional += 1;
      return undefined;
    };
    // This upload takes many polls, and pauses for longer than --settle (which is 0 here) between objects.
    for (let file = 0; file < 5; file++) {
      await store.put(`dags/new/${file}.py`, 'new');
      const before = conditional;
      await waitFor('two more polls', () => conditional >= before + 2, 60_000);
      assert.equal(await look(), '10\n');
    }
    assert.equal(proxy.count('LIST'), 0);
    assert.equal(proxy.count(), conditional);
    await store.put('dags/version.txt', '2');
    await waitFor('the deploy', async () => (await look()) === '25\n');
    const published = (): number => mount.log().filter(({ event }) => event === 'published').length;
    // Readers see a tree a moment before the daemon logs that it is published.
    await waitFor('the publication to be logged', () => published() >= 2);
    assert.equal(published(), 2);
    t.diagnostic(`${conditional} conditional GETs, ${proxy.count('LIST')} listings`);

    // On SIGHUP the daemon looks at once, whatever the key says.
    await store.put('dags/new/late.py', 'late');
    mount.kill('SIGHUP');
    await waitFor('what the key did not tell of', async () => (await look()) === '26\n');
  });
});
