import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { ProblemItem } from '../../src/control/shapes/status.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type ChildExit, startChild } from '../support/child.ts';
import { testedDriver } from '../support/driver.ts';
import { cleanEnvironment, cli, mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { processesNaming } from '../support/processes.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { identities, type Seaweedfs, startSeaweedfs } from '../support/seaweedfs.ts';
import { slowTwin } from '../support/slow-twin.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore, type Store } from './fixture.ts';
import { denied, startProxied } from './proxied.ts';

interface Attempt {
  readonly source?: string;
  readonly target?: string;
  readonly endpoint?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Comes before node on the command line. */
  readonly wrapper?: readonly string[];
}

interface Refusal extends ChildExit {
  readonly said: string;
}

let empty: Pick<Store, 'endpoint' | 'bucket' | 'env'>;

/** Mounts what must not mount, and checks that the attempt leaves nothing behind. */
async function refused(t: Cleanup, attempt: Attempt): Promise<Refusal> {
  const directory = await temporaryDirectory(t);
  const target = attempt.target ?? join(directory, 'dags');
  if (attempt.target === undefined) await mkdir(target);
  const mountsBefore = mountsAt(target).length;
  const [program, ...rest] = [
    ...(attempt.wrapper ?? []),
    process.execPath,
    cli,
    'mount',
    attempt.source ?? `s3://${empty.bucket}/dags`,
    target,
    '--endpoint-url',
    attempt.endpoint ?? empty.endpoint,
    '--cache-dir',
    join(directory, 'cache'),
    ...(attempt.args ?? []),
  ];
  const env = attempt.env ?? empty.env;
  const child = startChild(program as string, rest, {
    env: cleanEnvironment({ XDG_RUNTIME_DIR: directory, ...env }),
  });
  defer(t, () => child.kill('SIGKILL'));
  const exit = await waitFor(
    'the command to end',
    async () => await Promise.race([child.exit, undefined]),
    60_000,
  );
  assert.equal(mountsAt(target).length, mountsBefore, 'no mount is left');
  assert.deepEqual(processesNaming(directory), [], 'no process is left');
  const said = child.stderr();
  assert.doesNotMatch(said, /^\s+at .*:\d+/m, 'no stack trace');
  return { ...exit, said };
}

describe('mount refuses', { skip: mountImpossible, concurrency: 4 }, () => {
  let seaweedfs: Seaweedfs | undefined;
  after(() => seaweedfs?.stop());
  before(async () => {
    // One empty bucket: attempts that fail before they ask the store need no other.
    seaweedfs = await startSeaweedfs();
    empty = {
      endpoint: seaweedfs.endpoint,
      bucket: await seaweedfs.createBucket(),
      env: seaweedfs.readerEnvironment,
    };
  });

  const expect = (refusal: Refusal, code: number, words: RegExp): void => {
    assert.match(refusal.said, words);
    assert.equal(refusal.code, code, refusal.said);
  };

  test('a bucket that does not exist: 66', async (t) => {
    expect(await refused(t, { source: 's3://no-such-bucket-here/dags' }), 66, /no-such-bucket-here/);
  });

  test('a prefix with nothing under it, which would make Airflow deactivate every DAG: 66', async (t) => {
    expect(await refused(t, {}), 66, /--allow-empty/);
  });

  test('credentials that may not list: 77', async (t) => {
    const { accessKeyId, secretAccessKey } = identities.stranger;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    expect(await refused(t, { env }), 77, /s3:ListBucket/);
  });

  for (const [how, args] of [
    ['in the foreground', []],
    ['as a daemon', ['--daemon']],
  ] as const) {
    test(`credentials that may list and read no object, ${how}, also at the next try: 77`, async (t) => {
      const store = await openStore(t, new Map(['a.py', 'b.py', 'c.py'].map((path) => [path, path])));
      const proxied = await startProxied(t, store);
      proxied.fault = () => denied;
      const { endpoint, env, bucket } = proxied;
      const [target, cache] = [await temporaryDirectory(t), await temporaryDirectory(t)];
      const source = `s3://${bucket}/dags`;
      const attempt = { source, target, endpoint, env, args: ['--cache-dir', cache, ...args] };
      for (let time = 0; time < 2; time += 1) expect(await refused(t, attempt), 77, /s3:GetObject/);
    });
  }

  test('credentials that the store does not know: 77', async (t) => {
    const env = { AWS_ACCESS_KEY_ID: 'DAGMOUNTNOBODY', AWS_SECRET_ACCESS_KEY: 'nothing' };
    expect(await refused(t, { env }), 77, /./);
  });

  slowTwin(
    'store/resolve-credentials.test.ts: that are nowhere are missing, and the error says where to put them',
  )('no credentials: 77', async (t) => {
    expect(await refused(t, { env: { HOME: '/nonexistent' } }), 77, /credential/i);
  });

  test('an endpoint where nobody listens: 69', async (t) => {
    expect(await refused(t, { endpoint: 'http://127.0.0.1:9' }), 69, /127\.0\.0\.1:9/);
  });

  slowTwin('store/store-errors.test.ts: is unreachable if the name does not resolve')(
    'an endpoint whose name is not known: 69',
    async (t) => {
      expect(await refused(t, { endpoint: 'http://no-such-host.invalid' }), 69, /no-such-host\.invalid/);
    },
  );

  slowTwin('store/store-errors.test.ts: is unreachable if no byte arrives in time')(
    'an endpoint that never answers: 69',
    async (t) => {
      const proxy = await StoreProxy.start({ upstream: empty.endpoint });
      defer(t, () => proxy.close());
      proxy.hang();
      expect(await refused(t, { endpoint: proxy.endpoint }), 69, /./);
    },
  );

  test('an endpoint that does not speak S3: 78', async (t) => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>It works!</body></html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    defer(t, () => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    expect(await refused(t, { endpoint: `http://127.0.0.1:${port}` }), 78, /S3/);
  });

  test('a region that the store refuses without naming the right one: 78', async (t) => {
    const proxy = await StoreProxy.start({ upstream: empty.endpoint });
    defer(t, () => proxy.close());
    const message = "The authorization header is malformed; the region 'us-east-1' is wrong";
    const body = `<?xml version="1.0"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>${message}</Message></Error>`;
    proxy.fault = () => ({ answer: { status: 400, headers: { 'content-type': 'application/xml' }, body } });
    expect(await refused(t, { endpoint: proxy.endpoint }), 78, /--region/);
  });

  slowTwin('store/transport.test.ts: is not trusted by itself, and the error names --ca-file')(
    'a certificate that is not trusted, naming --ca-file: 78',
    async (t) => {
      const certificates = await makeCertificates(await temporaryDirectory(t));
      const proxy = await StoreProxy.start({ upstream: empty.endpoint, tls: certificates });
      defer(t, () => proxy.close());
      expect(await refused(t, { endpoint: proxy.endpoint }), 78, /--ca-file/);
    },
  );

  test('malformed addresses: 64', async (t) => {
    for (const source of [
      'bucket/prefix',
      'http://bucket/prefix',
      's3://',
      's3:///prefix',
      's3://UPPER_case!/x',
    ]) {
      expect(await refused(t, { source }), 64, /s3:\/\//);
    }
  });

  slowTwin('config/unknown-keys.test.ts: that is not known is refused with the one that may be meant')(
    'flags that are not known, and values out of range',
    async (t) => {
      expect(await refused(t, { args: ['--no-such-flag'] }), 64, /--no-such-flag/);
      expect(await refused(t, { args: ['--poll-interval', 'soon'] }), 78, /poll-interval.*soon/);
      expect(await refused(t, { args: ['--concurrency', '0'] }), 78, /concurrency/);
      expect(
        await refused(t, { env: { ...empty.env, DAGMOUNT_CACHE_SIZE: 'lots' } }),
        78,
        /CACHE_SIZE|cache-size/i,
      );
    },
  );

  test('a mount point that is missing: 66', async (t) => {
    const target = join(await temporaryDirectory(t), 'missing');
    expect(await refused(t, { target }), 66, /missing/);
    assert.ok(!existsSync(target));
  });

  test('a mount point that is a file: 73', async (t) => {
    const target = join(await temporaryDirectory(t), 'file');
    await writeFile(target, 'x');
    expect(await refused(t, { target }), 73, /directory/);
  });

  test('a mount point that is not empty: 73', async (t) => {
    const target = await temporaryDirectory(t);
    await writeFile(join(target, 'mine.py'), 'x');
    expect(await refused(t, { target }), 73, /not empty/);
    assert.deepEqual(await readdir(target), ['mine.py']);
  });

  test('a mount point where something else is mounted: 73', {
    skip: process.getuid?.() === 0 ? false : 'needs root to mount a tmpfs',
  }, async (t) => {
    const target = await temporaryDirectory(t);
    await promisify(execFile)('mount', ['-t', 'tmpfs', 'tmpfs', target]);
    defer(t, async () => {
      await promisify(execFile)('umount', [target]);
    });
    expect(await refused(t, { target }), 73, /mount/);
  });

  test('a mount point where dagmount already runs: 75', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    const source = `s3://${store.bucket}/dags`;
    expect(await refused(t, { source, target: mount.target }), 75, /already/);
    assert.equal(await shell(mount.target, 'cat a.py'), 'a');
  });

  test('a cache directory in use by another daemon of the same mount: 75', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const mount = await mountStore(t, store);
    const args = ['--cache-dir', mount.cacheDirectory];
    const source = `s3://${store.bucket}/dags`;
    expect(await refused(t, { source, target: mount.target, args }), 75, /./);
    assert.equal(await shell(mount.target, 'cat a.py'), 'a');
  });

  test('a cache directory that cannot be made: 73', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const file = join(await temporaryDirectory(t), 'file');
    await writeFile(file, 'x');
    const attempt = { source: `s3://${store.bucket}/dags`, args: ['--cache-dir', join(file, 'cache')] };
    expect(await refused(t, attempt), 73, /cache/);
  });

  test('a cache directory inside the mount point: 78', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const target = await temporaryDirectory(t);
    const source = `s3://${store.bucket}/dags`;
    const attempt = { source, target, args: ['--cache-dir', join(target, 'cache')] };
    expect(await refused(t, attempt), 78, /--cache-dir/);
  });

  test('a host without /dev/fuse: 71', {
    skip: process.getuid?.() === 0 ? false : 'needs root to hide /dev/fuse',
  }, async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const directory = await temporaryDirectory(t);
    const hide =
      'mount -t tmpfs tmpfs "$0" && cp -a /dev/null /dev/zero /dev/random /dev/urandom "$0" && ' +
      'mount --move "$0" /dev && exec "$@"';
    const wrapper = ['unshare', '-m', 'sh', '-c', hide, directory];
    expect(await refused(t, { source: `s3://${store.bucket}/dags`, wrapper }), 71, /\/dev\/fuse/);
  });
});

describe('what a dead daemon left', { skip: mountImpossible }, () => {
  test('is mounted over, then detached', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const dead = await mountStore(t, store);
    await dead.stop('SIGKILL');
    // The process of fuse-native keeps running; a mount by the kernel driver may be gone by now.
    if (testedDriver === 'kernel' && mountsAt(dead.target).length > 0) {
      await assert.rejects(shell('/', `ls '${dead.target}'`), /not connected/);
    }
    const next = await mountStore(t, store, { target: dead.target, cacheDirectory: dead.cacheDirectory });
    assert.equal(await shell(next.target, 'cat a.py'), 'a');
    await waitFor('the lower mount to be detached', () => mountsAt(next.target).length === 1);
    assert.equal((await next.stop()).code, 0);
    assert.deepEqual(mountsAt(next.target), []);
  });
});

test('an empty prefix is mounted with --allow-empty', { skip: mountImpossible }, async (t) => {
  const store = await openStore(t);
  const mount = await mountStore(t, store, { args: ['--allow-empty'] });
  assert.equal(await shell(mount.target, 'find .'), '.\n');
  await store.put('dags/a.py', 'a');
  await waitFor('the first file', async () => (await shell(mount.target, 'ls')) === 'a.py\n');
});

test('promise 10, nothing is hidden in silence: keys that cannot be paths are left out, reported, and hide nothing', {
  skip: mountImpossible,
}, async (t) => {
  const store = await openStore(
    t,
    new Map([
      ['a.py', 'a'],
      ['pkg/b.py', 'b'],
    ]),
  );
  const proxy = await StoreProxy.start({ upstream: store.endpoint });
  defer(t, () => proxy.close());
  const hostile = [
    'dags/pkg//twice.py',
    'dags/pkg/../up.py',
    'dags/./here.py',
    `dags/${'x'.repeat(256)}.py`,
    'dags/nul%00.py',
  ];
  proxy.fault = ({ kind }) =>
    kind !== 'LIST'
      ? undefined
      : {
          change: ({ head, body }) => {
            const entries = hostile.map(
              (key) =>
                `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"x"</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>`,
            );
            const changed = body
              .toString()
              .replace(/<KeyCount>\d+<\/KeyCount>/, '')
              .replace('<Contents>', `${entries.join('')}<Contents>`);
            return { head: head.replace(/\r\ncontent-length:[^\r]*/i, ''), body: Buffer.from(changed) };
          },
        };
  const mount = await mountStore(t, { ...store, endpoint: proxy.endpoint });
  assert.equal(await shell(mount.target, 'find . -type f | sort | xargs cat'), 'ab');
  assert.equal(await shell(mount.target, 'find . -mindepth 1 | sort'), './a.py\n./pkg\n./pkg/b.py\n');
  await mount.stop();
  const leftOut = mount.log().find(({ event }) => event === 'keys-left-out');
  const reasons = ((leftOut?.problems ?? []) as readonly ProblemItem[]).map(({ reason }) => reason);
  for (const reason of ['empty-component', 'dot-component', 'too-long', 'nul']) {
    assert.ok(reasons.includes(reason), `${reason} in ${reasons}`);
  }
});
