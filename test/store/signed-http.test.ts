import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Credentials } from '../../src/store/credentials.ts';
import { redirection } from '../../src/store/http/redirection.ts';
import { RequestSigner } from '../../src/store/http/sign.ts';
import { type ResolvedTarget, withRegion } from '../../src/store/resolved-target.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { errorDocument, FakeStore, object, type Reply } from './fake-store.ts';
import { CREDENTIALS, failureOf, openStore, patience } from './open-store.ts';

const scopeOf = (authorization = ''): string => /Credential=([^,]+)/.exec(authorization)?.[1] ?? '';

const AWS: ResolvedTarget = {
  bucket: 'bucket',
  prefix: '',
  origin: 'https://bucket.s3.us-east-1.amazonaws.com',
  host: 'bucket.s3.us-east-1.amazonaws.com',
  basePath: '/',
  region: 'us-east-1',
  service: 's3',
  endpoint: 'aws',
  requestPayer: false,
  anonymous: false,
};

describe('signatures', () => {
  test('are those of the published example of Signature Version 4', () => {
    // "GET Object" of the S3 API reference, "Authenticating Requests: Using the Authorization Header".
    const target = { ...AWS, host: 'examplebucket.s3.amazonaws.com' };
    const credentials = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    };
    const request = { method: 'GET', path: '/test.txt', query: {}, headers: { range: 'bytes=0-9' } } as const;
    const signed = new RequestSigner().sign(request, target, credentials, Date.UTC(2013, 4, 24));
    assert.match(
      signed.authorization ?? '',
      /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
    );
  });

  test('carry the session token, and leave out what a proxy may change', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const credentials = async () => ({ ...CREDENTIALS, sessionToken: 'the-token' });
    const { http } = openStore(t, fake.origin, { credentials });
    await http.send({ operation: 'get', key: 'a' }, patience());
    const headers = fake.requests[0]?.headers ?? {};
    assert.equal(headers['x-amz-security-token'], 'the-token');
    assert.match(
      headers.authorization ?? '',
      /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
    );
    assert.match(headers.authorization ?? '', /\/us-east-1\/s3\/aws4_request/);
  });

  test('are left out where requests are anonymous, and no credentials are looked for', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const credentials = async (): Promise<Credentials> => {
      throw new Error('nobody should ask');
    };
    const { http } = openStore(t, fake.origin, { credentials, target: { anonymous: true } });
    await http.send({ operation: 'get', key: 'a' }, patience());
    assert.equal(fake.requests[0]?.headers.authorization, undefined);
    assert.equal(fake.requests[0]?.headers.host, new URL(fake.origin).host);
  });

  test('cover the wish to pay for requests', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const { store } = openStore(t, fake.origin, { target: { requestPayer: true } });
    await store.get('a', { signal: patience() });
    await store.head('a', { signal: patience() });
    for (const { headers } of fake.requests) {
      assert.equal(headers['x-amz-request-payer'], 'requester');
      assert.match(headers.authorization ?? '', /x-amz-request-payer/);
    }
  });
});

describe('the region of a bucket', () => {
  const elsewhere: readonly (readonly [name: string, reply: Reply])[] = [
    ['a 301 with a header', { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } }],
    [
      'a 301 with a document',
      { status: 301, body: errorDocument('PermanentRedirect', '', '<Region>eu-west-1</Region>') },
    ],
    [
      'AuthorizationHeaderMalformed',
      { status: 400, body: errorDocument('AuthorizationHeaderMalformed', '', '<Region>eu-west-1</Region>') },
    ],
    ['a 400 with a header', { status: 400, headers: { 'x-amz-bucket-region': 'eu-west-1' } }],
  ];
  for (const [name, reply] of elsewhere) {
    for (const operation of ['list', 'get', 'head'] as const) {
      test(`is learned from ${name} to ${operation}, and remembered`, async (t) => {
        const fake = await FakeStore.start(t, ({ headers }) =>
          headers.authorization?.includes('/eu-west-1/') ? object('x') : reply,
        );
        const { http } = openStore(t, fake.origin);
        await http.send({ operation, key: 'a' }, patience());
        assert.equal(http.target.region, 'eu-west-1');
        const before = fake.requests.length;
        await http.send({ operation, key: 'a' }, patience());
        assert.equal(fake.requests.length, before + 1);
      });
    }
  }

  test('that changes with each answer is not run after for ever', async (t) => {
    const fake = await FakeStore.start(t, (_request, index) => ({
      status: 301,
      headers: { 'x-amz-bucket-region': `eu-west-${index}` },
      body: errorDocument('PermanentRedirect'),
    }));
    const { http } = openStore(t, fake.origin);
    const failure = await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(failure.code, 'wrong-region');
    assert.ok(fake.requests.length < 10);
  });

  test('is not learned from what is no name of one', async (t) => {
    const fake = await FakeStore.start(t, () => ({
      status: 301,
      headers: { 'x-amz-bucket-region': 'x.evil.example' },
    }));
    const { http } = openStore(t, fake.origin);
    await failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal(fake.requests.length, 1);
  });

  test('is part of the host at AWS, the last label of its name', () => {
    assert.equal(withRegion(AWS, 'eu-west-1').origin, 'https://bucket.s3.eu-west-1.amazonaws.com');
    const named = { ...AWS, origin: 'https://us-east-1.s3.dualstack.us-east-1.amazonaws.com' };
    assert.equal(withRegion(named, 'eu-west-1').host, 'us-east-1.s3.dualstack.eu-west-1.amazonaws.com');
    const custom = { ...AWS, origin: 'http://us-east-1.example:9000', host: 'us-east-1.example:9000' };
    assert.deepEqual(withRegion(custom, 'eu-west-1'), { ...custom, region: 'eu-west-1' });
  });
});

describe('a temporary redirect', () => {
  const to = (location: string, target = AWS) =>
    redirection(target, { status: 307, headers: { location } }, undefined);

  test('to another host of AWS is followed, and not remembered', () => {
    assert.deepEqual(to('https://bucket.s3-eu-west-1.amazonaws.com/key'), {
      target: {
        ...AWS,
        origin: 'https://bucket.s3-eu-west-1.amazonaws.com',
        host: 'bucket.s3-eu-west-1.amazonaws.com',
      },
      lasting: false,
    });
  });

  test('from a path to a host of the bucket leaves the bucket out of the path', () => {
    const byPath = { ...AWS, origin: 'https://s3.us-east-1.amazonaws.com', basePath: '/bucket/' };
    assert.equal(to('https://bucket.s3-eu-west-1.amazonaws.com/key', byPath)?.target.basePath, '/');
  });

  for (const location of [
    'https://evil.example/key',
    'https://amazonaws.com.evil.example/',
    'https://evilamazonaws.com/',
    'http://bucket.s3-eu-west-1.amazonaws.com/key',
    'https://bucket.s3-eu-west-1.amazonaws.com:8443/key',
    'not a url',
  ]) {
    test(`to ${location} is not followed`, () => {
      assert.equal(to(location), undefined);
    });
  }

  test('is not followed from another store than AWS', async (t) => {
    const other = await FakeStore.start(t, () => object('x'));
    const fake = await FakeStore.start(t, () => ({
      status: 307,
      headers: { location: `${other.origin}/x` },
    }));
    const { http } = openStore(t, fake.origin);
    assert.equal((await failureOf(http.send({ operation: 'get', key: 'a' }, patience()))).code, 'not-s3');
    assert.equal(other.requests.length, 0);
  });
});

describe('credentials that the store refuses', () => {
  function renewing() {
    const renewals: number[] = [];
    let key = 'OLD';
    return {
      renewals,
      credentials: async ({ renew = false } = {}): Promise<Credentials> => {
        if (renew) {
          renewals.push(1);
          key = 'NEW';
        }
        return { accessKeyId: key, secretAccessKey: 's' };
      },
    };
  }

  for (const code of ['ExpiredToken', 'InvalidAccessKeyId']) {
    for (const operation of ['list', 'get', 'head'] as const) {
      test(`as ${code} at a ${operation} are looked up again, and the request sent with the new ones`, async (t) => {
        const fake = await FakeStore.start(t, ({ headers }) =>
          scopeOf(headers.authorization).startsWith('NEW/')
            ? object('x')
            : { status: 403, body: errorDocument(code) },
        );
        const { renewals, credentials } = renewing();
        const { http } = openStore(t, fake.origin, { credentials });
        await http.send({ operation, key: 'a' }, patience());
        assert.equal(renewals.length, 1);
      });
    }
  }

  test('are looked up once, however many requests find out', async (t) => {
    const fake = await FakeStore.start(t, ({ headers }) =>
      scopeOf(headers.authorization).startsWith('NEW/')
        ? object('x')
        : { status: 400, body: errorDocument('ExpiredToken') },
    );
    const { renewals, credentials } = renewing();
    const { store } = openStore(t, fake.origin, { credentials });
    await Promise.all(Array.from({ length: 20 }, () => store.get('a', { signal: patience() })));
    assert.equal(renewals.length, 1);
  });

  test('are not looked up at every request where there are no others', async (t) => {
    const fake = await FakeStore.start(t, () => ({ status: 400, body: errorDocument('ExpiredToken') }));
    let renewals = 0;
    let now = 0;
    const credentials = async ({ renew = false } = {}): Promise<Credentials> => {
      if (renew) renewals++;
      return CREDENTIALS;
    };
    const { http } = openStore(t, fake.origin, { credentials, now: () => now });
    const send = () => failureOf(http.send({ operation: 'get', key: 'a' }, patience()));
    assert.equal((await send()).code, 'expired');
    assert.equal((await send()).code, 'expired');
    assert.equal(renewals, 1);
    now += 60_000;
    await send();
    assert.equal(renewals, 2);
  });

  test('that cannot be found end the request with the reason', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const credentials = async (): Promise<Credentials> => {
      throw new StoreError('no-credentials', '', 'Set some.', false);
    };
    const { store } = openStore(t, fake.origin, { credentials });
    assert.equal((await failureOf(store.get('a', { signal: patience() }))).code, 'no-credentials');
    assert.equal(fake.requests.length, 0);
  });

  test('that take for ever to be found do not outlast the deadline', async (t) => {
    const fake = await FakeStore.start(t, () => object('x'));
    const credentials = (): Promise<Credentials> => new Promise(() => undefined);
    const { store } = openStore(t, fake.origin, { credentials });
    const failure = failureOf(store.get('a', { signal: patience(), deadlineMs: 20 }));
    assert.equal((await failure).code, 'unreachable');
  });
});

test('what goes over the wire is told to the observer', async (t) => {
  const told: string[] = [];
  let bytes = 0;
  const observer = {
    request: (operation: string, outcome: string) => told.push(`${operation} ${outcome}`),
    bytes: (count: number) => {
      bytes += count;
    },
  };
  const fake = await FakeStore.start(t, (_request, index) => (index === 0 ? 'cut' : object('12345')));
  const { store } = openStore(t, fake.origin, { observer });
  await store.get('a', { signal: patience() });
  fake.answering = () => ({ status: 404 });
  await failureOf(store.head('a', { signal: patience() }));
  assert.deepEqual(told, ['get unreachable', 'get ok', 'head gone']);
  assert.equal(bytes, 5);
});
