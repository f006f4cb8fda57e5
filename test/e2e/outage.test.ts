import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { troublesOf } from '../support/driver.ts';
import { mountImpossible, statusOf } from '../support/mount.ts';
import { type Fault, type ProxiedRequest, StoreProxy } from '../support/proxy.ts';
import { type Reader, shell, startPython } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

const FILES = 200;

async function passes(reader: Reader, more: number): Promise<void> {
  const count = (): number => reader.stdout().split('\n').length;
  const before = count();
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  reader.done.then(end, end);
  await waitFor(`${more} more passes`, () => {
    if (ended) throw new Error(`a reader gave up: ${reader.stderr()}`);
    return count() >= before + more;
  });
}

const ways: readonly {
  readonly name: string;
  readonly degraded: string;
  readonly begin: (proxy: StoreProxy) => unknown;
  readonly end: (proxy: StoreProxy) => unknown;
}[] = [
  {
    name: 'refuses connections',
    degraded: 'source-unreachable',
    begin: (proxy) => proxy.goDown(),
    end: (proxy) => proxy.comeUp(),
  },
  {
    name: 'hangs',
    degraded: 'source-unreachable',
    begin: (proxy) => proxy.hang(),
    end: (proxy) => proxy.comeUp(),
  },
  {
    name: 'answers 503 SlowDown',
    degraded: 'source-throttled',
    begin: (proxy) => {
      proxy.fault = slowDown;
    },
    end: (proxy) => {
      proxy.fault = undefined;
    },
  },
];

function slowDown({ method }: ProxiedRequest): Fault {
  const body = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>';
  return {
    answer: {
      status: 503,
      headers: { 'content-type': 'application/xml' },
      body: method === 'HEAD' ? '' : body,
    },
  };
}

describe('promise 4, unreachable is not deleted', { skip: mountImpossible, concurrency: ways.length }, () => {
  for (const { name, degraded, begin, end } of ways) {
    test(`a store that ${name} removes nothing from under a scan, and what it has then is shown by itself`, async (t) => {
      const store = await openStore(t, manyFiles(FILES, 3_000));
      const proxy = await StoreProxy.start({ upstream: store.endpoint });
      defer(t, () => proxy.close());
      const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });
      const readers = Array.from({ length: 4 }, () =>
        startPython('scan.py', [mount.tree, String(FILES), '0.1'], { stdin: 'pipe', deadlineMs: 180_000 }),
      );
      for (const reader of readers) await passes(reader, 2);
      await begin(proxy);
      await store.put('dags/new.py', 'new');
      await store.delete('dags/new.py');
      await store.put('dags/newer.py', 'newer');
      await mount.logged('revalidation-failed');
      const down = await statusOf(mount);
      assert.deepEqual(troublesOf(down), [degraded]);
      assert.ok(down.ready, 'an outage takes no readiness away');
      assert.ok(down.source.failingSince !== null && down.source.lastSuccessAt !== null);
      assert.ok(down.source.lastSuccessAt < down.source.failingSince);
      for (const reader of readers) await passes(reader, 5);
      assert.equal(await shell(mount.tree, 'cat newer.py 2>/dev/null || echo not yet'), 'not yet\n');
      await end(proxy);
      await mount.logged('source-recovered');
      const up = await waitFor('an end of it in status', async () => {
        const now = await statusOf(mount);
        return troublesOf(now).length === 0 ? now : undefined;
      });
      assert.equal(up.source.failingSince, null);
      await waitFor('the next tree', async () => {
        return (await shell(mount.tree, 'cat newer.py 2>/dev/null || true')) === 'newer';
      });
      for (const reader of readers) await passes(reader, 1);
      for (const reader of readers) {
        reader.end();
        assert.equal((await reader.done).code, 0, (await reader.done).stderr);
      }
    });
  }
});
