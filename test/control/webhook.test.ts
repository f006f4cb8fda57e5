import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ControlError } from '../../src/control/control-error.ts';
import { WebhookSecrets } from '../../src/control/webhook/secrets.ts';
import { type WebhookLimits, WebhookServer } from '../../src/control/webhook/webhook-server.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const OLD = 'old-secret-0123456789';
const NEW = 'new-secret-9876543210';

function signed(body: string, secret = OLD): Record<string, string> {
  return { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

interface Sent {
  readonly status: number | undefined;
  readonly body: string;
}

async function start(t: TestContext, limits: Partial<WebhookLimits> = {}) {
  const file = join(await temporaryDirectory(t), 'secrets');
  await writeFile(file, `${OLD}\n`, { mode: 0o600 });
  const log = new RecordingLog();
  const world = { now: 0, hints: 0, refused: 0, file, log, port: 0 };
  const secrets = new WebhookSecrets(file, () => world.now);
  const server = new WebhookServer({
    secrets,
    log,
    limits,
    now: () => world.now,
    onHint: () => {
      world.hints += 1;
    },
    onRefused: () => {
      world.refused += 1;
    },
  });
  await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
  world.port = (server.server.address() as AddressInfo).port;
  t.after(() => server.close());
  const send = (body: string, headers: Record<string, string> = {}, method = 'POST'): Promise<Sent> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: world.port, method, path: '/', headers, agent: false },
        (answer: IncomingMessage) => {
          let text = '';
          answer.on('data', (bytes: Buffer) => {
            text += bytes.toString();
          });
          answer.on('end', () => resolve({ status: answer.statusCode, body: text }));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return Object.assign(world, { send });
}

describe('a webhook', () => {
  test('takes a body that is signed as GitHub signs it, and a bearer token', async (t) => {
    const hook = await start(t);
    assert.deepEqual(await hook.send('{"ref": "main"}', signed('{"ref": "main"}')), {
      status: 202,
      body: '{"status":"accepted"}',
    });
    assert.equal((await hook.send('', { Authorization: `Bearer ${OLD}` })).status, 202);
    assert.equal((await hook.send('', { authorization: `bearer ${OLD}` })).status, 202);
    assert.equal(hook.hints, 3);
  });

  test("knows GitHub's own example of a signature", async (t) => {
    const hook = await start(t);
    await writeFile(hook.file, "It's a Secret to Everybody\n");
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    assert.equal((await hook.send('Hello, World!', { 'X-Hub-Signature-256': signature })).status, 202);
  });

  test('takes none of 1,000 forged requests', async (t) => {
    const hook = await start(t, { checksOfSecond: 10_000 });
    const forge = (at: number): Promise<Sent> => {
      const body = `{"at": ${at}}`;
      const kinds: readonly Record<string, string>[] = [
        {},
        signed(body, 'another-secret-0123456789'),
        signed(`${body} `),
        { 'X-Hub-Signature-256': `sha256=${randomBytes(32).toString('hex')}` },
        { 'X-Hub-Signature-256': 'sha256=' },
        { 'X-Hub-Signature': `sha1=${randomBytes(20).toString('hex')}` },
        { Authorization: `Bearer ${OLD}x` },
        { Authorization: `Basic ${OLD}` },
        { Authorization: 'Bearer ' },
        // A right token does not make up for a wrong signature.
        { Authorization: `Bearer ${OLD}`, 'X-Hub-Signature-256': 'sha256=00' },
      ];
      return hook.send(body, kinds[at % kinds.length]);
    };
    for (let batch = 0; batch < 1_000; batch += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => forge(batch + at)));
      for (const { status, body } of answers) {
        assert.equal(status, 401, body);
        assert.doesNotMatch(body, /secret-0/);
      }
    }
    assert.deepEqual([hook.hints, hook.refused], [0, 1_000]);
    assert.equal(hook.log.count('warn', 'webhook-refused'), 1, 'a flood is no flood in the log');
    assert.equal((await hook.send('x', signed('x'))).status, 202);
  });

  test('takes a signature once: what was overheard is not taken again', async (t) => {
    const hook = await start(t);
    assert.equal((await hook.send('x', signed('x'))).status, 202);
    const again = await hook.send('x', signed('x'));
    assert.equal(again.status, 409);
    assert.match(again.body, /"code":"replayed"/);
    assert.equal(hook.hints, 1);
  });

  test('remembers a bounded number of signatures', async (t) => {
    const hook = await start(t, { signatures: 2 });
    for (const body of ['a', 'b', 'c']) assert.equal((await hook.send(body, signed(body))).status, 202);
    assert.equal((await hook.send('c', signed('c'))).status, 409);
    assert.equal((await hook.send('a', signed('a'))).status, 202);
  });

  test('knows the old and the new secret while they change, and then the new one alone', async (t) => {
    const hook = await start(t);
    await writeFile(hook.file, `${OLD}\n${NEW}\n`);
    hook.now = 1_000;
    assert.equal((await hook.send('1', signed('1', OLD))).status, 202);
    assert.equal((await hook.send('2', signed('2', NEW))).status, 202);
    await writeFile(hook.file, `${NEW}\n`);
    hook.now = 2_000;
    assert.equal((await hook.send('3', signed('3', OLD))).status, 401);
    assert.equal((await hook.send('', { Authorization: `Bearer ${NEW}` })).status, 202);
  });

  test('refuses everything while its file cannot be used, and says so once', async (t) => {
    const hook = await start(t);
    const bad: readonly (() => Promise<void>)[] = [
      () => rm(hook.file),
      () => writeFile(hook.file, '\n', { mode: 0o600 }),
      () => writeFile(hook.file, 'short\n'),
      async () => {
        await writeFile(hook.file, `${OLD}\n`);
        await chmod(hook.file, 0o622);
      },
    ];
    for (const [at, spoil] of bad.entries()) {
      await spoil();
      hook.now = (at + 1) * 1_000;
      for (const headers of [
        signed(`${at}`),
        { Authorization: `Bearer ${OLD}` },
        { Authorization: 'Bearer ' },
      ]) {
        const { status, body } = await hook.send(`${at}`, headers);
        assert.ok(status === 503 || status === 401, body);
      }
      assert.equal(hook.log.count('warn', 'webhook-secret-unusable'), at + 1);
    }
    assert.equal(hook.hints, 0);
    assert.doesNotMatch(JSON.stringify(hook.log.lines), /short|old-secret/);
    await chmod(hook.file, 0o600);
    hook.now = 10_000;
    assert.equal((await hook.send('good', signed('good'))).status, 202);
  });

  test('checks so many requests a second, and takes others later', async (t) => {
    const hook = await start(t, { checksOfSecond: 3 });
    for (let at = 0; at < 3; at += 1) assert.equal((await hook.send(`${at}`, signed(`${at}`))).status, 202);
    assert.equal((await hook.send('4', signed('4'))).status, 429);
    hook.now = 1_000;
    assert.equal((await hook.send('4', signed('4'))).status, 202);
  });

  for (const [what, headers, method, status] of [
    ['another method', {}, 'GET', 405],
    ['a body that says it is too long', { 'Content-Length': '5000000', ...signed('x') }, 'POST', 413],
    ['a head that is too long', { 'X-Long': 'y'.repeat(20_000) }, 'POST', undefined],
  ] as const) {
    test(`refuses ${what}`, async (t) => {
      const hook = await start(t);
      const sent = hook.send(method === 'GET' ? '' : 'x', headers, method);
      const answer = await sent.catch(() => ({ status: undefined }));
      assert.equal(answer.status, status);
      assert.equal(hook.hints, 0);
    });
  }

  test('reads no more of a body than its bound, however it comes', async (t) => {
    const hook = await start(t, { bodyBytes: 100 });
    const body = 'y'.repeat(10_000);
    const { status } = await hook.send(body, { 'Transfer-Encoding': 'chunked', ...signed(body) });
    assert.equal(status, 413);
    assert.equal(hook.hints, 0);
  });

  test('cuts off a client that sends nothing', async (t) => {
    const hook = await start(t, { connectionMs: 100 });
    const socket = createConnection({ host: '127.0.0.1', port: hook.port });
    let isClosed = false;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        isClosed = true;
      });
    await waitFor('the end of the connection', () => isClosed);
    assert.equal(hook.hints, 0);
  });
});

describe('the secrets of a webhook', () => {
  test('are not read more than once a second, and never told', async (t) => {
    const file = join(await temporaryDirectory(t), 'secrets');
    await writeFile(file, 'tiny', { mode: 0o600 });
    const secrets = new WebhookSecrets(file, () => 0);
    const refused = (error: unknown): boolean =>
      error instanceof ControlError && error.code === 'secret-unusable' && !error.message.includes('tiny');
    assert.throws(() => secrets.current(), refused);
    await writeFile(file, OLD);
    assert.throws(() => secrets.current(), refused);
  });
});
