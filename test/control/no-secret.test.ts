import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { startControlServer } from '../../src/control/control-server.ts';
import { controlRoutes } from '../../src/control/endpoints/endpoints.ts';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { WebhookSecrets } from '../../src/control/webhook/secrets.ts';
import { RequestMeter } from '../../src/session/request-meter.ts';
import { DaemonProcess } from '../../src/views/process.ts';
import { environment } from '../config/host-environment.ts';
import { givenFlags } from '../config/resolved.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { exchange, fakeParts, fakeViews, statusOf } from './fixture.ts';

const SECRET = 'recognisable-secret-0123456789';
const signature = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

describe('the secret of a webhook', () => {
  test('is in no log line, answer, metric or file, nor in what a mount knows of its options: its path alone is', async (t) => {
    const directory = await temporaryDirectory(t);
    const secretFile = join(directory, 'secrets');
    await writeFile(secretFile, `${SECRET}\n`, { mode: 0o600 });
    const flags = ['--webhook-listen', '127.0.0.1:0', '--webhook-secret-file', secretFile];
    const { config, options } = resolveMountConfig('s3://b/p', '/d', givenFlags(flags), environment());
    const log = new RecordingLog();
    const metrics = new Metrics({ version: '0', node: 'v0' });
    const { opcodes, readErrors, durations } = new RequestMeter(RequestMeter.memory());
    const session = { opcodes, readErrors, durations };
    const views = fakeViews({
      metrics: (openMetrics) =>
        metrics.expose({ status: statusOf(), problems: new Map(), session }, openMetrics),
    });
    const mount = { id: '0123456789ab', source: config.source, target: config.target };
    const leveled = Object.assign(log, { level: 'debug' });
    const parts = {
      ...fakeParts(),
      process: new DaemonProcess({ mount, options, trees: [], log: leveled }),
    };
    const routes = controlRoutes(views, parts);
    const socketPath = join(directory, 'control.sock');
    const server = await startControlServer({
      routes,
      views,
      events: parts.events,
      log,
      socket: { path: socketPath, mode: 0o600, gid: undefined, uid: process.geteuid?.() ?? 0 },
      metrics: { host: '127.0.0.1', port: 0 },
      webhook: {
        ...config.webhookListen!,
        secretFile: config.webhookSecretFile!,
        onHint: () => metrics.hint('webhook', 'taken', 1),
        onRefused: () => metrics.hint('webhook', 'refused', 1),
      },
    });
    t.after(() => server.close());

    const told: string[] = [];
    const statuses: number[] = [];
    const hook = { host: '127.0.0.1', port: server.webhookPort! };
    const wrong = `${SECRET}-not`;
    for (const headers of [
      { 'X-Hub-Signature-256': signature('x', SECRET) },
      { 'X-Hub-Signature-256': signature('x', SECRET) },
      { 'X-Hub-Signature-256': signature('x', wrong) },
      { 'X-Hub-Signature-256': SECRET },
      { Authorization: `Bearer ${SECRET}` },
      { Authorization: `Bearer ${wrong}` },
      { Authorization: `Basic ${SECRET}` },
      {},
    ]) {
      const answer = await exchange(hook, `/${SECRET}?secret=${SECRET}`, {
        method: 'POST',
        headers,
        body: 'x',
      });
      statuses.push(answer.status);
      told.push(inspect(answer, { depth: null }));
    }
    assert.deepEqual(statuses, [202, 409, 401, 401, 202, 401, 401, 401]);
    // While the file is unusable, the error tells the reason.
    await writeFile(secretFile, `${SECRET}\n`.repeat(5));
    assert.throws(
      () => new WebhookSecrets(secretFile, () => 0).current(),
      (error) => {
        told.push(inspect(error, { depth: null }));
        return true;
      },
    );

    for (const { method, path } of routes) {
      if (method !== 'GET' || path.includes('{') || path === '/v1/events') continue;
      const { status, text } = await exchange({ socketPath }, path, {});
      assert.ok(status < 500, path);
      told.push(text);
      if (path === '/v1/config') assert.ok(text.includes(secretFile));
    }
    const scraped = await exchange({ host: '127.0.0.1', port: server.metricsPort! }, '/metrics', {});
    assert.match(scraped.text, /webhook/);
    told.push(
      scraped.text,
      inspect(log.lines, { depth: null }),
      inspect({ config, options }, { depth: null }),
    );
    assert.ok(log.count('warn', 'webhook-refused') > 0);
    assert.deepEqual(
      told.filter((text) => text.includes(SECRET)),
      [],
    );
    const files = (await readdir(directory)).filter((name) => !name.endsWith('.sock'));
    assert.deepEqual(files, ['secrets'], 'nothing is written beside it');
    assert.ok((await readFile(secretFile, 'utf8')).includes(SECRET));
  });
});
