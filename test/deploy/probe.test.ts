import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireConditionalWrites } from '../../src/deploy/probe.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';

const { signal } = new AbortController();
const probed = { endpoint: 'https://store.example.com', bucket: 'bucket' };

describe('the probe of conditional writes', () => {
  test('passes a store that heeds them, and asks it no more afterwards than whether it did', async () => {
    const store = new MemoryReleaseStore();
    await requireConditionalWrites(store, probed, signal);
    store.calls.length = 0;
    await requireConditionalWrites(store, probed, signal);
    assert.deepEqual(store.calls, ['read meta/probe.json']);
  });

  test('is made again at another endpoint, and where what was remembered cannot be read', async () => {
    const store = new MemoryReleaseStore();
    await requireConditionalWrites(store, probed, signal);
    for (const endpoint of ['https://other.example.com', probed.endpoint]) {
      store.calls.length = 0;
      await requireConditionalWrites(store, { ...probed, endpoint }, signal);
      assert.ok(store.calls.length > 1);
    }
    store.objects.set('meta/probe.json', Buffer.from('{'));
    await requireConditionalWrites(store, probed, signal);
  });

  test('refuses a store that creates what is there, naming it', async () => {
    const store = new MemoryReleaseStore();
    store.create = async (key, bytes) => {
      store.objects.set(key, bytes);
      return { kind: 'written', etag: 'x' };
    };
    const refused = { code: 'unconditional-store', message: /store\.example\.com.*If-None-Match/ };
    await assert.rejects(requireConditionalWrites(store, probed, signal), refused);
  });

  test('refuses a store that replaces by any ETag, and one that replaces by none', async () => {
    for (const kind of ['written', 'refused'] as const) {
      const store = new MemoryReleaseStore();
      store.replace = async () => (kind === 'written' ? { kind, etag: 'x' } : { kind });
      await assert.rejects(requireConditionalWrites(store, probed, signal), {
        code: 'unconditional-store',
        message: /If-Match/,
      });
    }
  });
});
