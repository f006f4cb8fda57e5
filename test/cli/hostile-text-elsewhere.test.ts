import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { examine } from '../../src/cli/doctor/doctor.ts';
import { createLogger } from '../../src/cli/logger.ts';
import { forTerminal, paintsFor } from '../../src/cli/paint.ts';
import { environment } from '../config/host-environment.ts';
import { leftRaw } from '../support/hostile-text.ts';
import { assertClean, EVIL, TIME } from './hostile-daemon.ts';
import { fakeServer, mountAt, ran, recordedShell } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

describe('the text of others elsewhere', () => {
  test('is clean in list, whoever mounted and where', async () => {
    const target = `/mnt/${EVIL}`;
    const source = `s3://b/${EVIL}/`;
    const state = { pid: 7, source, target, ready: true, startedAt: TIME, socket: `/run/${EVIL}` };
    const changes = {
      readMounts: () => [mountAt(target, { source })],
      mountStates: () => [state, { ...state, target: '/other' }],
      isRunning: () => true,
    };
    for (const args of [['list'], ['list', '--json'], ['status'], ['unmount', target]]) {
      const { out, err } = await ran(args, changes);
      assertClean(out, args.join(' '));
      assertClean(err, args.join(' '));
    }
  });

  test('is clean in what doctor finds, on the host and in the store', async () => {
    const shell = recordedShell({
      environment: environment({
        env: { PATH: '/usr/bin', NO_PROXY: EVIL, HTTPS_PROXY: `http://proxy${EVIL}` },
      }),
      loadServer: async () =>
        fakeServer({
          probeStore: async function* () {
            yield { name: 'list', outcome: 'doubtful', detail: EVIL, hint: EVIL };
            yield {
              name: 'get',
              outcome: 'bad',
              detail: EVIL,
              error: new TypedError('denied', `refused ${EVIL}`, `ask ${EVIL}`),
            };
          },
        }),
    });
    const host = {
      platform: 'linux',
      kernelRelease: `6.12${EVIL}`,
      nodeVersion: `20.19.0${EVIL}`,
      hasUserEntry: () => true,
      readText: () => `9${EVIL}`,
      tryOpen: () => `EPERM${EVIL}`,
      tryAccess: () => `EACCES${EVIL}`,
      ownerAndMode: () => undefined,
      freeBytes: () => 1,
      unsafeAncestor: () => undefined,
    };
    await examine(['s3://bucket'], shell, host);
    await examine(['s3://bucket', '--json'], shell, host);
    assertClean(shell.said.out, 'stdout');
    assertClean(shell.said.err, 'stderr');
  });

  test('is clean in errors of the command line, which may be made of a name that was found', async () => {
    for (const args of [
      [EVIL],
      ['status', EVIL],
      ['mount', EVIL, '/mnt'],
      ['mount', `s3://${EVIL}`, '/mnt'],
      ['mount', 's3://b', '/mnt', '--region', EVIL],
      ['mount', 's3://b', '/mnt', `--${EVIL}`],
      ['ls', '--mount', EVIL],
      ['log-level', EVIL],
      ['cache', EVIL],
      ['completion', EVIL],
      ['help', EVIL],
    ]) {
      const { out, err } = await ran(args);
      assertClean(out, JSON.stringify(args));
      assertClean(err, JSON.stringify(args));
      assert.notEqual(err, '');
    }
  });

  for (const format of ['pretty', 'json'] as const) {
    test(`is clean in the ${format} log`, async () => {
      let text = '';
      const write = (line: string): void => {
        text += line;
      };
      const log = await createLogger({ level: 'debug', format, colours: false, write });
      const error = new TypedError('denied', `refused ${EVIL}`, EVIL);
      const hostile: object = { key: EVIL, [EVIL]: [EVIL], more: { key: EVIL } };
      log.error({ event: 'request-failed', error, ...hostile }, `lost ${EVIL}`);
      assertClean(text, format);
      if (format === 'json') assert.equal(JSON.parse(text).key, EVIL);
    });
  }

  test('moves no cursor even where it was not cleaned, and our own colours stay', () => {
    const { red } = paintsFor({ colours: true });
    const written = forTerminal(`${red('bad')}\t${EVIL}\n`);
    assert.ok(written.startsWith('\u001b[31mbad\u001b[39m\t'));
    assert.deepEqual(leftRaw(written.slice('\u001b[31mbad\u001b[39m\t'.length).replaceAll('\n', '')), []);
  });
});
