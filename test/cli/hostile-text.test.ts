import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientCommands } from '../../src/cli/client-commands.ts';
import { examine } from '../../src/cli/doctor/doctor.ts';
import { inspectionCommands } from '../../src/cli/inspection-commands.ts';
import { createLogger } from '../../src/cli/logger.ts';
import { forTerminal, paintsFor } from '../../src/cli/paint.ts';
import { figuresOf } from '../../src/cli/top/figures.ts';
import { Scrape } from '../../src/cli/top/scrape.ts';
import { viewLines } from '../../src/cli/top/view.ts';
import { environment } from '../config/host-environment.ts';
import { fakeParts, generation, held, ID, OTHER_ID, statusOf } from '../control/fixture.ts';
import { HOSTILE_TEXT, leftRaw } from '../support/hostile-text.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon, Refusal } from './fake-daemon.ts';
import { fakeServer, mountAt, ran, recordedShell, recordingOutput } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

const FORGED = 'forged line';
const EVIL = `${HOSTILE_TEXT}\n${FORGED}`;
const TIME = '2026-01-01T00:00:00.000Z';
/** What decides which way an answer goes, and is checked before it is shown. */
const KEPT: ReadonlySet<string> = new Set(['next', 'outcome', 'kind', 'type', 'id', 'from', 'to']);

type How = 'every text' | 'every value';

/** The same document with hostile text in it: at the end of each text, or instead of each number, too. */
function poisoned(value: unknown, how: How, name = ''): unknown {
  if (KEPT.has(name)) return value;
  if (typeof value === 'string') return value + EVIL;
  if (typeof value === 'number' || value === null) return how === 'every value' ? EVIL : value;
  if (Array.isArray(value)) return value.map((each) => poisoned(each, how));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, each]) => [key, poisoned(each, how, key)]),
  );
}

function assertClean(text: string, what: string): void {
  assert.deepEqual(leftRaw(text.replaceAll('\n', '')), [], what);
  assert.doesNotMatch(text, new RegExp(`^${FORGED}`, 'm'), what);
}

const status = statusOf({
  degraded: ['source-unreachable'],
  held: { ...held, reason: 'mass-deletion' },
  problems: 3,
  source: {
    ...statusOf().source,
    consecutiveFailures: 3,
    failingSince: TIME,
    lastError: { code: 'unreachable', message: 'no route', detail: null, hint: null, at: TIME },
  },
});
const history = [
  { ...generation, added: 1, changed: 1, removed: 1 },
  { ...generation, id: OTHER_ID, number: 1, added: 1, changed: 0, removed: 0 },
];
const pathResults = {
  items: [
    { path: 'a.py', outcome: 'done', files: 1, bytes: 3, code: null, detail: null },
    { path: 'b.py', outcome: 'failed', files: 0, bytes: 0, code: 'gone', detail: 'not there' },
    { path: 'c.py', outcome: 'unchanged', files: 0, bytes: 0, code: null, detail: null },
  ],
};
const parts = fakeParts();
const events = [
  { id: '1', at: TIME, type: 'generation', generation, added: 1, changed: 2, removed: 0 },
  { id: '2', at: TIME, type: 'held', held },
  { id: '3', at: TIME, type: 'source-error', error: { code: 'unreachable', message: 'no', at: TIME } },
  { id: '4', at: TIME, type: 'cache-error', code: 'corrupt', detail: 'a.py' },
  { id: '5', at: TIME, type: 'restart', restarts: 2, reason: 'killed' },
  { id: '6', at: TIME, type: 'from-the-future', more: 'text' },
];

/** What a daemon answers to each question, before it is poisoned. */
const documents: Readonly<Record<string, unknown>> = {
  'GET /v1/status': status,
  'GET /v1/generations': { items: history, next: null },
  [`GET /v1/generations/${ID}/changes`]: {
    from: OTHER_ID,
    to: ID,
    added: ['a.py'],
    changed: ['b.py'],
    removed: ['c.py'],
    next: null,
  },
  'GET /v1/problems': { items: [{ key: 'p/a', reason: 'nul', detail: 'holds NUL' }], next: null },
  'GET /v1/entries': {
    items: ['file', 'directory'].map((kind) => ({
      path: `a.${kind}`,
      kind,
      size: 3,
      etag: 'e',
      mtime: TIME,
      cached: false,
    })),
    next: null,
  },
  'GET /v1/entries/a.py': {
    ...(await parts.tree.entry('a.py', new AbortController().signal)),
    versionId: 'v1',
    problems: [{ reason: 'unreadable-class', detail: 'archived' }],
  },
  'GET /v1/cache': { ...parts.cache.totals(), degraded: ['cache-full'] },
  'GET /v1/cache/blobs': {
    items: [
      { bytes: 3, rank: 'kept', pinned: true, verified: true, path: 'a.py', chunk: null, key: 'k' },
      { bytes: 3, rank: 'kept', pinned: true, verified: true, path: null, chunk: 1, key: 'k' },
    ],
    next: null,
  },
  'POST /v1/cache/evict': pathResults,
  'POST /v1/cache/pin': pathResults,
  'POST /v1/cache/unpin': pathResults,
  'POST /v1/cache/prefetch': pathResults,
  'POST /v1/cache/verify': {
    blobs: 3,
    bytes: 30,
    corrupt: 2,
    removed: [
      { key: 'k', path: 'a.py' },
      { key: 'k', path: null },
    ],
  },
  'POST /v1/refresh': { outcome: 'published', generation },
  'POST /v1/accept': { generation },
  'PUT /v1/log-level': { level: 'debug', was: 'info' },
  'GET /v1/config': { mount: { id: 'x', source: 's', target: 't' }, options: [] },
};

const METRICS = `dagmount_ready 1\ndagmount_fuse_requests_total{opcode="${HOSTILE_TEXT.replaceAll(/[\n\r\u2028\u2029]/g, '')}"} 3\n`;

/** Every command that asks a daemon. */
const commands: readonly (readonly string[])[] = [
  ['status'],
  ['refresh', '--wait'],
  ['generations'],
  ['diff'],
  ['ls'],
  ['why', 'a.py'],
  ['problems'],
  ['accept'],
  ['restart'],
  ['log-level', 'debug'],
  ['metrics'],
  ['events'],
  ...['stats', 'ls', 'verify'].map((action) => ['cache', action]),
  ...['evict', 'pin', 'unpin', 'prefetch'].map((action) => ['cache', action, 'a.py']),
];

async function hostileDaemon(t: Cleanup, how: How): Promise<string> {
  const answers: Record<string, Answering> = Object.fromEntries(
    Object.entries(documents).map(([asked, document]) => [asked, () => poisoned(document, how)]),
  );
  let restarted = false;
  answers['POST /v1/restart'] = () => {
    restarted = true;
    return { pid: 7 };
  };
  answers['GET /v1/status'] = () => {
    const answer = poisoned(status, how) as { readonly pid: unknown };
    return restarted ? { ...answer, pid: `another${EVIL}` } : answer;
  };
  answers['GET /metrics'] = () => METRICS;
  answers['GET /v1/events'] = (_, response) => {
    response.setHeader('Content-Type', 'text/event-stream');
    for (const event of events) {
      const data = JSON.stringify(poisoned(event, how));
      response.write(`id: ${event.id}\nevent: ${event.type}${HOSTILE_TEXT.replaceAll(/[\n\r]/g, '')}\n`);
      response.write(`data: ${data}\n\n`);
    }
    return undefined;
  };
  return (await fakeDaemon(t, answers)).socket;
}

/** Runs a command; one that goes on is ended after as many lines as there are events. */
async function shown(args: readonly string[], colours = false) {
  const lost = new AbortController();
  let out = '';
  const write = (text: string): void => {
    out += text;
    if (args[0] === 'events' && out.split('\n').length > events.length) lost.abort();
  };
  const output = recordingOutput(write, { lost: lost.signal, colours });
  return { ...(await ran(args, { out: output })), out };
}

describe('the text of a daemon that is not to be trusted', () => {
  test('is tried with every command that asks one', () => {
    const tried = new Set(commands.map(([name]) => name));
    const all = [...clientCommands, ...inspectionCommands].map(({ name }) => name);
    assert.deepEqual(
      all.filter((name) => !tried.has(name) && name !== 'top'),
      [],
    );
  });

  for (const how of ['every text', 'every value'] as const) {
    for (const args of commands) {
      test(`reaches the terminal as escapes: ${args.join(' ')}, with ${how} hostile`, async (t) => {
        const socket = await hostileDaemon(t, how);
        const { out, err, exitCode } = await shown([...args, '--socket', socket]);
        assertClean(out, 'stdout');
        assertClean(err, 'stderr');
        if (how === 'every text') {
          assert.ok(out.length > 0, `${exitCode}: ${err}`);
          assert.match(out, /\\u202e|^Nothing new|^Published/);
        }
      });

      test(`is true data and safe as JSON: ${args.join(' ')}, with ${how} hostile`, async (t) => {
        const socket = await hostileDaemon(t, how);
        const { out, err } = await shown([...args, '--json', '--socket', socket]);
        assertClean(out, 'stdout');
        assertClean(err, 'stderr');
        const read = args[0] === 'events' ? out.split('\n').filter((line) => line !== '') : [out];
        const found = read.filter((text) => text !== '').map((text) => JSON.stringify(JSON.parse(text)));
        if (how === 'every text' && !['refresh', 'accept'].includes(args[0] ?? '')) {
          assert.ok(found.join('').includes('\u202e'), 'the character itself is in the data');
        }
      });
    }
  }

  test('brings no sequence but our own colours', async (t) => {
    for (const args of commands) {
      const socket = await hostileDaemon(t, 'every text');
      const { out } = await shown([...args, '--socket', socket], true);
      const own = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|22|31|32|33|39)m`, 'g');
      assertClean(out.replace(own, ''), args.join(' '));
    }
  });

  test('is clean where several daemons are compared', async (t) => {
    const sockets = [await hostileDaemon(t, 'every text'), await hostileDaemon(t, 'every value')];
    const named = sockets.flatMap((socket) => ['--socket', socket]);
    for (const args of [['status'], ['status', '--json'], ['problems'], ['ls', '--json']]) {
      const { out, err } = await shown([...args, ...named]);
      assertClean(out, 'stdout');
      assertClean(err, 'stderr');
    }
  });

  test('is clean where it refuses', async (t) => {
    for (const args of [...commands, ['why', 'b.py']]) {
      for (const code of ['held', 'never-seen', `code${EVIL}`]) {
        const refuse: Answering = () => {
          throw new Refusal(404, code, `no${EVIL}`, `do${EVIL}`);
        };
        const daemon = await fakeDaemon(
          t,
          Object.fromEntries(
            [
              ...Object.keys(documents),
              'GET /v1/events',
              'GET /metrics',
              'POST /v1/restart',
              'GET /v1/entries/b.py',
            ].map((asked) => [asked, refuse]),
          ),
        );
        for (const more of [[], ['--json'], ['--log-level=debug']]) {
          const { out, err } = await ran([...args, ...more, '--socket', daemon.socket]);
          assertClean(out, 'stdout');
          assertClean(err, 'stderr');
        }
      }
    }
  });

  test('is no candidate of completion where it is not printable', async (t) => {
    const socket = await hostileDaemon(t, 'every text');
    const { out } = await ran([
      'completion',
      '--candidates',
      'tree-paths',
      '--',
      '',
      'ls',
      '--socket',
      socket,
    ]);
    assert.equal(out, '');
  });

  for (const how of ['every text', 'every value'] as const) {
    test(`fills no screen of top, with ${how} hostile`, () => {
      const scrape = new Scrape(METRICS, 0);
      const moment = {
        status: poisoned(status, how) as typeof status,
        scrape,
        history: poisoned(history, how) as typeof history,
        changes: { added: [EVIL], changed: [EVIL], removed: [EVIL] },
      };
      const view = { moment, figures: figuresOf([scrape]), now: Date.parse(TIME), silentFor: undefined };
      for (const line of viewLines(view, { columns: 300, rows: 60 })) {
        for (const { text } of line) assert.deepEqual(leftRaw(text), []);
      }
    });
  }
});

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
      log.error({ err: error, key: EVIL, [EVIL]: [EVIL], more: { key: EVIL } }, `lost ${EVIL}`);
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
