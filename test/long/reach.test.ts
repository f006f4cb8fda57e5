import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { interceptLocalhostDns, startFauxqs } from 'fauxqs';
import { s3Notification } from '../source/events/samples.ts';
import { inParts, LONG_AGO, md5, Store } from '../source/standby/two-stores.ts';
import { freePorts } from '../support/free-ports.ts';
import { type Mount, mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { type Reader, startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
const CHANGES = 20;
const MINUTE = 60_000;

async function storeOf(t: TestContext, name: string, etagOf = md5): Promise<Store> {
  const store = new Store(name, etagOf);
  await store.start(t);
  for (let file = 0; file < 50; file++) store.put(`f${file}.py`, `file ${file}`, LONG_AGO + file * MINUTE);
  return store;
}

function mountOf(
  t: TestContext,
  store: Store,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Mount> {
  return startMount(t, {
    source: 's3://bucket/dags',
    env: { ...KEYS, ...env },
    args: ['--endpoint-url', store.endpoint, ...args],
  });
}

/** Says `WHAT MILLISECONDS` each time that a file has other content, as soon as a reader sees it. */
const WATCHER = `
import sys, time
path, last = sys.argv[1], None
while True:
    try:
        with open(path) as file: now = file.read()
    except OSError: now = None
    if now != last:
        print(now, int(time.time() * 1000), flush=True)
        last = now
    time.sleep(0.002)
`;

/** Reads all files, again and again, until its input ends; says how often, and each error. */
const SCANNER = `
import os, sys, select
rounds, errors = 0, []
while not select.select([sys.stdin], [], [], 0)[0]:
    for name in os.listdir(sys.argv[1]):
        try:
            with open(os.path.join(sys.argv[1], name)) as file: file.read()
        except OSError as error:
            # A name of the listing may be gone by the next publication.
            if error.errno != 2: errors.append(str(error))
    rounds += 1
print(rounds, len(errors), errors[:3])
`;

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1]!;
}

/** The times from twenty changes to what a reader sees of them, milliseconds. */
async function changesSeen(
  t: TestContext,
  mount: Mount,
  store: Store,
  hint?: (change: number) => Promise<void>,
): Promise<readonly number[]> {
  // Hints that come soon after others are followed later: two looks in ten seconds are due to them.
  const pauseMs = hint === undefined ? 500 : 5_100;
  const watcher = startReader('python3', ['-c', WATCHER, join(mount.target, 'f1.py')], {
    deadlineMs: 1_200_000,
  });
  defer(t, () => watcher.kill());
  const seenAt = (content: string): number | undefined => {
    const [, at] = new RegExp(`^${content} (\\d+)$`, 'm').exec(watcher.stdout()) ?? [];
    return at === undefined ? undefined : Number(at);
  };
  const times: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs + Math.random() * 1_000));
    const content = `change-${change}`;
    const at = Date.now();
    store.put('f1.py', content, at);
    await hint?.(change);
    times.push((await waitFor(`a reader to see ${content}`, () => seenAt(content))) - at);
  }
  return times;
}

function listingOf(mount: Mount): Promise<number> {
  return statusOf(mount).then(({ source }) => (source.listingSeconds ?? 0) * 1000);
}

describe('a change is seen', { skip: mountImpossible }, () => {
  test('after a webhook, long before the next poll', async (t) => {
    const store = await storeOf(t, 's3://bucket/dags/');
    const file = join(await temporaryDirectory(t), 'secrets');
    const secret = randomBytes(32).toString('hex');
    await writeFile(file, secret, { mode: 0o600 });
    const mount = await mountOf(t, store, [
      ...['--poll-interval', '1h', '--settle', '0'],
      ...['--webhook-listen', '127.0.0.1:0', '--webhook-secret-file', file],
    ]);
    const { webhookPort } = await mount.logged('listening');
    const post = (body: string, key = secret): Promise<number> =>
      fetch(`http://127.0.0.1:${webhookPort}/`, {
        method: 'POST',
        body,
        headers: {
          'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
        },
      }).then(({ status }) => status);
    const times = await changesSeen(t, mount, store, async (change) => {
      assert.equal(await post(`${change}`), 202);
    });
    t.diagnostic(
      `webhook: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms; a listing takes ${await listingOf(mount)} ms`,
    );

    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const { requests } = store;
    for (let forged = 0; forged < 1_000; forged += 20) {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          post(`forged ${forged + at}`, 'a secret that is not the right one'),
        ),
      );
      assert.ok(
        statuses.every((status) => status === 401 || status === 429),
        `${statuses}`,
      );
    }
    assert.equal(store.requests, requests, '1,000 forged webhooks: no look');
  });

  test('after an event of a queue, and 10,000 events cost three looks', async (t) => {
    const store = await storeOf(t, 's3://bucket/dags/');
    const restoreDns = interceptLocalhostDns();
    const server = await startFauxqs({ port: await freePorts(1), logger: false });
    const client = new SQSClient({
      region: 'us-east-1',
      endpoint: server.address,
      credentials: { accessKeyId: 'k', secretAccessKey: 's' },
    });
    defer(t, async () => {
      client.destroy();
      await server.stop();
      restoreDns();
    });
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'dags' }));
    const send = (key: string) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: s3Notification('bucket', key) }));
    // The emulator's addresses of queues are below localhost, which the daemon has to find too.
    const preload = join(repository, 'dist/test/support/localhost-dns.js');
    const mount = await mountOf(
      t,
      store,
      ['--poll-interval', '1h', '--settle', '0', '--events', `sqs:${QueueUrl}`],
      { NODE_OPTIONS: `--import=${preload}` },
    );
    const times = await changesSeen(t, mount, store, async () => void (await send('dags/f1.py')));
    t.diagnostic(`queue: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms`);
    const empty = (): boolean => {
      const { ready, inflight } = server.inspectQueue('dags')!.messages;
      return ready.length + inflight.length === 0;
    };
    await waitFor('all messages to be deleted', empty);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const { requests } = store;
    for (let sent = 0; sent < 10_000; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, at) => send(`dags/x${sent + at}.py`)));
    }
    await waitFor('all messages to be deleted', empty);
    t.diagnostic(`10,000 events: ${store.requests - requests} looks`);
  });

  for (const [what, args] of [
    ['the poll of ten seconds', []],
    ['the watched key', ['--watch-key', 'f1.py']],
  ] as const) {
    test(`after ${what}`, async (t) => {
      const store = await storeOf(t, 's3://bucket/dags/');
      const mount = await mountOf(t, store, ['--settle', '0', ...args]);
      const times = await changesSeen(t, mount, store);
      t.diagnostic(`${what}: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms`);
    });
  }
});

describe('a standby source', { skip: mountImpossible }, () => {
  test('is read under eight readers while the first is cut off, held while it is behind, and left by itself', async (t) => {
    const first = await storeOf(t, 's3://bucket/dags/', inParts('a'));
    const second = new Store('s3://west/dags/', inParts('b'));
    await second.start(t);
    second.copyFrom(first);
    first.dropsConnections = true;
    const mount = await mountOf(t, first, [
      ...['--poll-interval', '1s', '--settle', '0', '--standby-after', '5s'],
      ...['--standby-source', 's3://west/dags', '--standby-endpoint-url', second.endpoint],
    ]);
    const isOnStandby = async (): Promise<boolean> => (await statusOf(mount)).degraded.includes('on-standby');
    const shown = async (): Promise<string | undefined> => (await statusOf(mount)).generation?.id;
    const readers: Reader[] = Array.from({ length: 8 }, () =>
      startReader('python3', ['-c', SCANNER, mount.target], { stdin: 'pipe', deadlineMs: 1_200_000 }),
    );
    defer(t, () => {
      for (const reader of readers) reader.kill();
    });
    const before = await shown();

    first.isDown = true;
    await waitFor('the standby to be read', isOnStandby);
    assert.equal(await shown(), before, 'other ETags, the same bytes: nothing is shown as changed');
    second.put('new.py', 'deployed to the standby', Date.now());
    await waitFor('the deploy to be seen', async () => (await shown()) !== before);
    const deployed = await shown();

    first.isDown = false;
    await waitFor('the first to be found behind', async () => {
      const { source } = await statusOf(mount);
      return source.standby?.firstIsBehind?.includes('new.py');
    });
    first.copyFrom(second);
    await waitFor('the first to be read', async () => !(await isOnStandby()));
    assert.equal(await shown(), deployed);

    first.put('f1.py', 'after the copy', Date.now());
    await waitFor('a change in the first', async () => (await shown()) !== deployed);
    const newest = await shown();
    first.isDown = true;
    await waitFor(
      'what is behind to be held',
      async () => (await statusOf(mount)).held?.reason === 'standby-behind',
    );
    assert.match((await statusOf(mount)).held?.detail ?? '', /f1\.py/);
    assert.equal(await shown(), newest);
    first.isDown = false;
    await waitFor('the first to be read', async () => !(await isOnStandby()));
    assert.equal((await statusOf(mount)).held, null);
    assert.equal(await shown(), newest);

    for (const reader of readers) reader.end();
    for (const { done } of readers) {
      const { stdout } = await done;
      assert.match(stdout, /^\d+ 0 \[\]$/m, stdout);
    }
    const publications = mount.log().filter(({ event }) => event === 'published').length;
    assert.equal(publications, 3, 'the first tree, and one a deploy');
  });
});
