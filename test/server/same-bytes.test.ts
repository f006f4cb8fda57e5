import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ContentStore } from '../../src/cache/receive.ts';
import { hasSameBytes, isRefusal } from '../../src/server/same-bytes.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';
import type { ContentVersion } from '../../src/tree/index.ts';

const version = { path: 'a.py', name: 'v', etag: 'e', size: 5, lastModified: 0 } as ContentVersion;
const { signal } = new AbortController();

function cached(text: string | undefined): Parameters<typeof hasSameBytes>[0] {
  const digest = text === undefined ? undefined : createHash('sha256').update(text).digest('hex');
  return { inspection: { checksum: async () => digest } } as never;
}

function giving(body: string | StoreErrorCode): ContentStore {
  return {
    get: async () => {
      if (body === 'bytes' || body === 'other') {
        return {
          body: (async function* () {
            yield Buffer.from(body);
          })(),
        } as never;
      }
      throw new StoreError(body as StoreErrorCode, 'refused', 'Look.', false);
    },
  };
}

describe('content of another store', () => {
  test('is compared with what is local, by its bytes', async () => {
    assert.equal(await hasSameBytes(cached('bytes'), version, version, giving('bytes'), signal), true);
    assert.equal(await hasSameBytes(cached('bytes'), version, version, giving('other'), signal), false);
    assert.equal(
      await hasSameBytes(cached(undefined), version, version, giving('denied'), signal),
      undefined,
    );
  });

  test('that the store refuses is an error about that object alone', async () => {
    const refused = async (code: StoreErrorCode): Promise<unknown> =>
      hasSameBytes(cached('bytes'), version, version, giving(code), signal).then(
        () => undefined,
        (error: unknown) => error,
      );
    for (const code of ['denied', 'unreadable-class', 'corrupt', 'changed', 'gone'] as const) {
      assert.equal(isRefusal(await refused(code)), true, code);
    }
    assert.equal(isRefusal(await refused('unreachable')), false);
  });
});
