import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { S3ReleaseStore, WRITING_TIMEOUTS } from '../../src/deploy/s3-release-store.ts';
import type { Credentials, CredentialsProvider } from '../../src/store/credentials.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { atHost } from '../../src/store/resolved-target.ts';
import { FakeStore } from '../store/fake-store.ts';
import { CREDENTIALS, settingsOf, TARGET } from '../store/open-store.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const { signal } = new AbortController();

async function open(
  test: Cleanup,
  origin: string,
  credentials: CredentialsProvider = async () => CREDENTIALS,
): Promise<S3ReleaseStore> {
  const transport = new Transport(settingsOf({ connections: 4, timeouts: WRITING_TIMEOUTS }));
  defer(test, () => transport.close());
  const target = { ...atHost(TARGET, origin), endpoint: origin };
  const store = await S3ReleaseStore.open({ transport, delay: async () => undefined, credentials, target });
  defer(test, async () => store.close());
  return store;
}

function page(keys: readonly string[], more: string): { readonly status: number; readonly body: string } {
  const rows = keys.map((key) => `<Contents><Key>dags/${key}</Key></Contents>`);
  return { status: 200, body: `<ListBucketResult>${rows.join('')}${more}</ListBucketResult>` };
}

describe('a listing of a release root', () => {
  const truncated = '<IsTruncated>true</IsTruncated>';

  test('goes on after the last key if the store cuts a page off without a token', async (t) => {
    const fake = await FakeStore.start(t, ({ query }) =>
      query.get('start-after') === 'dags/log/b'
        ? page(['log/c'], '<IsTruncated>false</IsTruncated>')
        : page(['log/a', 'log/b'], truncated),
    );
    const store = await open(t, fake.origin);
    assert.deepEqual(await store.list('log/', signal), ['log/a', 'log/b', 'log/c']);
  });

  test('goes on after a full page that does not say whether it is the last', async (t) => {
    const keys = Array.from({ length: 1_000 }, (_, at) => `log/${String(at).padStart(4, '0')}`);
    const fake = await FakeStore.start(t, ({ query }) =>
      query.has('start-after')
        ? page(query.get('start-after') === 'dags/log/0999' ? ['log/1000'] : [], '')
        : page(keys, ''),
    );
    const store = await open(t, fake.origin);
    assert.equal((await store.list('log/', signal)).length, 1_001);
  });

  test('ends if the store does not say whether a page is the last, and ignores start-after', async (t) => {
    const fake = await FakeStore.start(t, () => page(['log/a', 'log/b'], ''));
    const store = await open(t, fake.origin);
    assert.deepEqual(await store.list('log/', signal), ['log/a', 'log/b']);
  });

  test('goes on by the token of a page that does not say whether it is the last', async (t) => {
    const fake = await FakeStore.start(t, ({ query }) =>
      query.get('continuation-token') === 'next'
        ? page(['log/b'], '<IsTruncated>false</IsTruncated>')
        : page(['log/a'], '<NextContinuationToken>next</NextContinuationToken>'),
    );
    const store = await open(t, fake.origin);
    assert.deepEqual(await store.list('log/', signal), ['log/a', 'log/b']);
  });

  test('is refused if it does not go on', async (t) => {
    const token = `${truncated}<NextContinuationToken>same</NextContinuationToken>`;
    for (const [keys, more] of [
      [[], truncated],
      [['log/a', 'log/b'], truncated],
      [['log/a'], token],
    ] as const) {
      const fake = await FakeStore.start(t, () => page(keys, more));
      const store = await open(t, fake.origin);
      await assert.rejects(store.list('log/', signal), { code: 'corrupt' });
    }
  });
});

describe('credentials that end during a deploy', () => {
  const renewed: Credentials = { accessKeyId: 'NEWKEY', secretAccessKey: 'the-other-secret' };

  /** A store that knows only the key NEWKEY. */
  const strict = (t: Cleanup): Promise<FakeStore> =>
    FakeStore.start(t, ({ headers }) =>
      (headers.authorization ?? '').includes('Credential=NEWKEY/')
        ? { status: 200, headers: { etag: '"e1"' }, body: 'bytes' }
        : { status: 400, body: '<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>' },
    );

  test('are replaced as soon as there are others, without a refusal', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 200, headers: { etag: '"e1"' }, body: 'bytes' }));
    let current = CREDENTIALS;
    const store = await open(t, fake.origin, async () => current);
    await store.read('a', 100, signal);
    current = renewed;
    // The provider is asked once a second.
    await waitFor('the other credentials', async () => {
      await store.read('a', 100, signal);
      return (fake.requests.at(-1)?.headers.authorization ?? '').includes('Credential=NEWKEY/') || undefined;
    });
  });

  test('are replaced once the store refuses them', async (t) => {
    const fake = await strict(t);
    const asked: (boolean | undefined)[] = [];
    const store = await open(t, fake.origin, async ({ renew } = {}) => {
      asked.push(renew);
      return renew === true ? renewed : CREDENTIALS;
    });
    const found = await store.read('a', 100, signal);
    assert.equal(Buffer.from(found!.bytes).toString(), 'bytes');
    assert.ok(asked.includes(true));
  });

  test('are an error if there are no others', async (t) => {
    const fake = await strict(t);
    const store = await open(t, fake.origin);
    await assert.rejects(store.read('a', 100, signal), { code: 'expired' });
    assert.equal(fake.requests.length, 2);
  });
});
