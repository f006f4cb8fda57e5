import assert from 'node:assert/strict';
import {
  fakeParts,
  generation,
  held,
  ID,
  OTHER_ID,
  pastRelease,
  release,
  statusOf,
} from '../control/fixture.ts';
import { HOSTILE_TEXT, leftRaw } from '../support/hostile-text.ts';
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { ran, recordingOutput } from './recorded-shell.ts';

export const FORGED = 'forged line';
export const EVIL = `${HOSTILE_TEXT}\n${FORGED}`;
export const TIME = '2026-01-01T00:00:00.000Z';
/** Fields that decide how the command handles an answer. The command checks them before it shows them. */
export const KEPT: ReadonlySet<string> = new Set(['next', 'outcome', 'kind', 'type', 'id', 'from', 'to']);

export type How = 'every text' | 'every value';

/** The same document with hostile text at the end of each text; `every value`: also instead of each number and null. */
export function poisoned(value: unknown, how: How, name = ''): unknown {
  if (KEPT.has(name)) return value;
  if (typeof value === 'string') return value + EVIL;
  if (typeof value === 'number' || value === null) return how === 'every value' ? EVIL : value;
  if (Array.isArray(value)) return value.map((each) => poisoned(each, how));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, each]) => [key, poisoned(each, how, key)]),
  );
}

export function assertClean(text: string, what: string): void {
  assert.deepEqual(leftRaw(text.replaceAll('\n', '')), [], what);
  assert.doesNotMatch(text, new RegExp(`^${FORGED}`, 'm'), what);
}

export const status = statusOf({
  degraded: ['source-unreachable'],
  held: { ...held, reason: 'mass-deletion', hint: 'Put them back.', release: { seq: 43, id: release.id } },
  release: { ...release, armed: { ...release, at: TIME } },
  problems: 3,
  source: {
    ...statusOf().source,
    consecutiveFailures: 3,
    failingSince: TIME,
    lastError: { code: 'unreachable', message: 'no route', detail: null, hint: null, at: TIME },
  },
});
export const history = [
  { ...generation, added: 1, changed: 1, removed: 1, release: pastRelease },
  { ...generation, id: OTHER_ID, number: 1, added: 1, changed: 0, removed: 0 },
];
export const pathResults = {
  items: [
    { path: 'a.py', outcome: 'done', files: 1, bytes: 3, code: null, detail: null },
    { path: 'b.py', outcome: 'failed', files: 0, bytes: 0, code: 'gone', detail: 'not there' },
    { path: 'c.py', outcome: 'unchanged', files: 0, bytes: 0, code: null, detail: null },
  ],
};
export const parts = fakeParts();
export const events = [
  {
    id: '1',
    at: TIME,
    type: 'generation',
    generation,
    added: 1,
    changed: 2,
    removed: 0,
    release: pastRelease,
  },
  { id: '7', at: TIME, type: 'armed', release, showAt: TIME },
  { id: '2', at: TIME, type: 'held', held },
  { id: '3', at: TIME, type: 'source-error', error: { code: 'unreachable', message: 'no', at: TIME } },
  { id: '4', at: TIME, type: 'cache-error', code: 'corrupt', detail: 'a.py' },
  { id: '5', at: TIME, type: 'restart', restarts: 2, reason: 'killed' },
  { id: '6', at: TIME, type: 'from-the-future', more: 'text' },
];

/** A daemon's answer to each request, before poisoning. */
export const documents: Readonly<Record<string, unknown>> = {
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

export const METRICS = `dagmount_ready 1\ndagmount_fuse_requests_total{opcode="${HOSTILE_TEXT.replaceAll(/[\n\r\u2028\u2029]/g, '')}"} 3\n`;

/** Every command that asks a daemon. */
export const commands: readonly (readonly string[])[] = [
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

export async function hostileDaemon(t: Cleanup, how: How): Promise<string> {
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

/** Runs a command. `events` never ends by itself, so it is stopped after as many lines as there are events. */
export async function shown(args: readonly string[], colours = false) {
  const lost = new AbortController();
  let out = '';
  const write = (text: string): void => {
    out += text;
    if (args[0] === 'events' && out.split('\n').length > events.length) lost.abort();
  };
  const output = recordingOutput(write, { lost: lost.signal, colours });
  return { ...(await ran(args, { out: output })), out };
}
