import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, interceptLocalhostDns, startFauxqs } from 'fauxqs';
import { openSqsQueue, type SqsQueue } from '../../../src/store/sdk/sqs-queue.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { settingsOf } from '../../store/open-store.ts';
import { waitFor } from '../../support/wait-for.ts';
import { s3Notification } from './samples.ts';

/** The SDK's client over HTTP, against an emulator in this process. */
describe('a queue of SQS', () => {
  let server: FauxqsServer;
  let restoreDns: () => void;
  const { signal } = new AbortController();
  const asked: boolean[] = [];
  const credentials = async ({ renew = false } = {}) => {
    asked.push(renew);
    return { accessKeyId: 'k', secretAccessKey: 's', sessionToken: 't' };
  };
  const open = (url: string): Promise<SqsQueue> =>
    openSqsQueue({ url, region: undefined, credentials, settings: settingsOf({}) });
  let client: SQSClient;
  const send = async (queueUrl: string, body: string): Promise<void> => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  };
  const made = async (name: string): Promise<string> =>
    (await client.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? '';
  before(async () => {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    // The emulator's own addresses of queues are below localhost.
    restoreDns = interceptLocalhostDns();
    server = await startFauxqs({ port: 0, logger: false });
    client = new SQSClient({
      region: 'us-east-1',
      endpoint: server.address,
      credentials: { accessKeyId: 'k', secretAccessKey: 's' },
    });
  });
  after(async () => {
    client.destroy();
    await server.stop();
    restoreDns();
  });

  it('gives what was sent, waits for it, and forgets what is deleted', async () => {
    const queueUrl = await made('dags');
    const queue = await open(queueUrl);
    const received = queue.receive({ waits: true, signal });
    await send(queueUrl, s3Notification('acme', 'dags/a.py'));
    const messages = await received;
    assert.deepEqual(
      messages.map(({ body }) => body),
      [s3Notification('acme', 'dags/a.py')],
    );
    assert.equal(server.inspectQueue('dags')?.messages.inflight.length, 1);
    await queue.delete(messages, signal);
    assert.equal(server.inspectQueue('dags')?.messages.inflight.length, 0);
    await queue.close();
  });

  it('that is empty answers at once where the receive does not wait', async () => {
    const queue = await open(await made('nothing-yet'));
    assert.deepEqual(await queue.receive({ waits: false, signal }), []);
    await queue.close();
  });

  it('ends a wait when it is aborted', async () => {
    const queueUrl = await made('empty');
    const queue = await open(queueUrl);
    const end = new AbortController();
    const waiting = assert.rejects(queue.receive({ waits: true, signal: end.signal }));
    await waitFor('the request', () => asked.length > 1);
    end.abort();
    await waiting;
    await queue.close();
  });

  it('that does not exist, or does not answer, is a coded error without a secret', async () => {
    const missing = await open(`${server.address}/000000000000/nothing`);
    await assert.rejects(missing.receive({ waits: true, signal }), (error) => error instanceof StoreError);
    await missing.close();
    const silent = await open('http://127.0.0.1:1/000000000000/dags');
    await assert.rejects(
      silent.receive({ waits: true, signal }),
      (error) => error instanceof StoreError && error.code === 'unreachable' && error.cause === undefined,
    );
    await silent.close();
  });

  it('has credentials looked up anew where the service does not know them, and not where a policy denies', async (t) => {
    let type = 'AccessDeniedException';
    const refusing = createServer((_, response) => {
      response.writeHead(403, { 'Content-Type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: type, message: 'no' }));
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    t.after(() => refusing.close());
    const renewals: boolean[] = [];
    const queue = await openSqsQueue({
      url: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/000000000000/dags`,
      region: undefined,
      credentials: async ({ renew = false } = {}) => {
        renewals.push(renew);
        return { accessKeyId: 'k', secretAccessKey: 's' };
      },
      settings: settingsOf({}),
    });
    const refused = () => assert.rejects(queue.receive({ waits: false, signal }));
    for (let time = 0; time < 3; time += 1) await refused();
    assert.ok(!renewals.includes(true), 'a denial by policy');
    type = 'UnrecognizedClientException';
    for (let time = 0; time < 3; time += 1) await refused();
    assert.equal(renewals.filter(Boolean).length, 1, 'and not with each request');
    await queue.close();
  });

  it('tells no credential that a service repeats where a signature does not match', async (t) => {
    const [secretAccessKey, sessionToken] = ['recognisable-secret', 'recognisable-token'];
    const echo = createServer((request, response) => {
      const signed = JSON.stringify([request.headers['x-amz-security-token'], secretAccessKey]);
      response.writeHead(403, { 'Content-Type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ __type: 'SignatureDoesNotMatch', message: `should have been ${signed}` }),
      );
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    t.after(() => echo.close());
    const queue = await openSqsQueue({
      url: `http://127.0.0.1:${(echo.address() as AddressInfo).port}/000000000000/dags`,
      region: undefined,
      credentials: async () => ({ accessKeyId: 'k', secretAccessKey, sessionToken }),
      settings: settingsOf({}),
    });
    await assert.rejects(queue.receive({ waits: false, signal }), (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.detail, /should have been/);
      assert.doesNotMatch(inspect(error, { depth: null, showHidden: true }), /recognisable/);
      return true;
    });
    await queue.close();
  });
});
