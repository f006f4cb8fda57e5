import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  CreateQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { interceptLocalhostDns, startFauxqs } from 'fauxqs';
import { s3Notification } from '../source/events/samples.ts';
import { LONG_AGO, md5, Store } from '../source/standby/two-stores.ts';
import { freePorts } from '../support/free-ports.ts';
import { type Mount, mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { seeChanges } from '../support/seen-changes.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
const CHANGES = 20;
const EVENTS = 10_000;
const MINUTE = 60_000;

async function openStore(t: TestContext): Promise<Store> {
  const store = new Store('s3://bucket/dags/', md5);
  await store.start(t);
  for (let file = 0; file < 50; file++) store.put(`f${file}.py`, `print(${file})`, LONG_AGO + file * MINUTE);
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

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1]!;
}

/** The milliseconds from each of twenty changes until a reader sees it. */
async function changesSeen(
  t: TestContext,
  mount: Mount,
  store: Store,
  hint?: (change: number) => Promise<void>,
): Promise<readonly number[]> {
  // The daemon delays a look if hints follow each other soon: it makes at most two looks in ten seconds. A change
  // without a hint comes at any time between two polls.
  const pauseMs = (): number => (hint === undefined ? Math.random() * 10_000 : 5_100 + Math.random() * 1_000);
  const seen = seeChanges(t, mount, 'f1.py');
  const times: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs()));
    const content = `print("change ${change}")`;
    const at = Date.now();
    store.put('f1.py', content, at);
    await hint?.(change);
    times.push((await seen.of(content)) - at);
  }
  return times;
}

function listingOf(mount: Mount): Promise<number> {
  return statusOf(mount).then(({ source }) => (source.listingSeconds ?? 0) * 1000);
}

/** A queue in an emulator of SQS, which runs in this process. */
async function openQueue(t: TestContext) {
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
  // The emulator's queues have addresses below localhost, which the daemon has to resolve too.
  const preload = join(repository, 'dist/test/support/localhost-dns.js');
  const messages = () => server.inspectQueue('dags')!.messages;
  return {
    args: ['--poll-interval', '1h', '--settle', '0', '--events', `sqs:${QueueUrl}`],
    env: { NODE_OPTIONS: `--import=${preload}` },
    send: (key: string) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: s3Notification('bucket', key) })),
    sendTen: (from: number) => {
      const Entries = Array.from({ length: 10 }, (_, at) => ({
        Id: `${at}`,
        MessageBody: s3Notification('bucket', `dags/x${from + at}.py`),
      }));
      return client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    },
    isReceived: () => messages().ready.length === 0,
    isEmpty: () => messages().ready.length + messages().inflight.length === 0,
  };
}

async function openWebhook(t: TestContext, store: Store) {
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
      headers: { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}` },
    }).then(({ status }) => status);
  return { mount, post };
}

// Most of the time, these tests wait.
describe('a change is seen', { skip: mountImpossible, concurrency: true }, () => {
  test('after a webhook, long before the next poll', async (t) => {
    const store = await openStore(t);
    const { mount, post } = await openWebhook(t, store);
    const times = await changesSeen(t, mount, store, async (change) => {
      assert.equal(await post(`${change}`), 202);
    });
    t.diagnostic(
      `webhook: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms; a listing takes ${await listingOf(mount)} ms`,
    );
  });

  test('after an event of a queue', async (t) => {
    const store = await openStore(t);
    const { args, env, send } = await openQueue(t);
    const mount = await mountOf(t, store, args, env);
    const times = await changesSeen(t, mount, store, async () => void (await send('dags/f1.py')));
    t.diagnostic(`queue: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms`);
  });

  for (const [what, args] of [
    ['the poll of ten seconds', []],
    ['the watched key', ['--watch-key', 'f1.py']],
  ] as const) {
    test(`after ${what}`, async (t) => {
      const store = await openStore(t);
      const mount = await mountOf(t, store, ['--settle', '0', ...args]);
      const times = await changesSeen(t, mount, store);
      t.diagnostic(`${what}: median ${median(times)} ms of ${CHANGES}, most ${Math.max(...times)} ms`);
    });
  }
});

describe('a flood', { skip: mountImpossible }, () => {
  test('of 10,000 events costs three looks', async (t) => {
    const store = await openStore(t);
    const { args, env, sendTen, isReceived, isEmpty } = await openQueue(t);
    await mountOf(t, store, args, env);
    const { listings } = store;
    const began = Date.now();
    for (let sent = 0; sent < EVENTS; sent += 500) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => sendTen(sent + 10 * at)));
    }
    const sentMs = Date.now() - began;
    await waitFor('all messages to be received', isReceived, 600_000);
    const receivedMs = Date.now() - began;
    await waitFor('all messages to be deleted', isEmpty, 600_000);
    const looks = store.listings - listings;
    t.diagnostic(
      `${EVENTS} events: sent in ${sentMs} ms, received in ${receivedMs} ms, deleted in ${Date.now() - began} ms; ${looks} looks`,
    );
    // During a flood that does not end, the daemon looks every 30 s.
    assert.ok(looks >= 1 && looks <= 3 + Math.floor(receivedMs / 30_000), `${looks} looks`);
  });

  test('of 1,000 forged webhooks costs none', async (t) => {
    const store = await openStore(t);
    const { mount, post } = await openWebhook(t, store);
    const { listings } = store;
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
    const before = (await statusOf(mount)).source.lastSuccessAt;
    // A webhook with a valid signature causes a look, the first one after the mount's own.
    await waitFor('the proven one to be taken', async () => (await post('proven')) === 202);
    await waitFor('a look', async () => (await statusOf(mount)).source.lastSuccessAt !== before);
    assert.equal(store.listings, listings + 1, '1,000 forged webhooks: no look');
  });
});
