import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryItem, Status } from '../../src/control/shapes/status.ts';
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
import type { Cleanup } from '../support/temporary.ts';
import { type Answering, fakeDaemon } from './fake-daemon.ts';
import { ran } from './recorded-shell.ts';

const before = { seq: 41, id: `sha256-${'b2'.repeat(32)}`, author: 'amy', message: 'First' };

function history(): readonly HistoryItem[] {
  return [
    { ...itemOf(ID, 2), release: pastRelease },
    { ...itemOf(OTHER_ID, 1), release: before },
  ];
}

function itemOf(id: string, number: number): HistoryItem {
  const { publishedAt, files } = generation;
  return { id, number, publishedAt, files, added: 1, changed: 0, removed: 0 };
}

async function said(
  t: Cleanup,
  args: readonly string[],
  answers: Readonly<Record<string, Answering>>,
): Promise<string> {
  const { socket } = await fakeDaemon(t, answers);
  const { exitCode, out, err } = await ran([...args, '--socket', socket]);
  assert.equal(exitCode, 0, err);
  return out;
}

describe('a node that shows a release', () => {
  const status = (changes: Partial<Status> = {}): Readonly<Record<string, Answering>> => ({
    'GET /v1/status': () => statusOf({ release, ...changes }),
  });

  test('says in its status which, by whom, who signed it and where to read more', async (t) => {
    const out = await said(t, ['status'], status());
    const line = out.split('\n').find((each) => each.startsWith('release'));
    assert.match(
      line ?? '',
      /^release +production, step 42 \(sha256-a1a1a1a1a1a1\) by Zoe <zoe@example\.com>: Load the orders; made .* ago; signed by zoe@example\.com \(SHA256:abc\); commit c0ffee000000; https:\/\/ci\.example\.com\/runs\/1$/,
    );
    assert.doesNotMatch(out, /In two steps|^armed/m);
  });

  test('says what is armed, and when it is shown', async (t) => {
    const at = '2026-01-01T00:02:30.000Z';
    const out = await said(
      t,
      ['status'],
      status({ release: { ...release, armed: { ...release, seq: 43, at } } }),
    );
    assert.match(out, new RegExp(`^armed +step 43 .*; shown at ${at}, in 1 min 30 s$`, 'm'));
  });

  test('says why a ref is held, and what to do', async (t) => {
    const ref = {
      ...held,
      files: 0,
      removed: 0,
      reason: 'rolled-back',
      detail: 'refs/production.json is step 40.',
      hint: 'Put the newest one back.',
      release: { seq: 40, id: before.id },
    };
    const out = await said(t, ['status'], status({ held: ref }));
    assert.match(
      out,
      /^held +since .*: step 40 \(sha256-b2b2b2b2b2b2\): rolled-back\. refs\/production\.json is step 40\. Put the newest one back\.$/m,
    );
    assert.doesNotMatch(out, /would be gone/);
  });

  test('names the release of each generation, and those that a diff is between', async (t) => {
    const answers = {
      'GET /v1/generations': () => ({ items: history(), next: null }),
      [`GET /v1/generations/${ID}/changes`]: () => ({
        from: OTHER_ID,
        to: ID,
        added: ['a.py'],
        changed: [],
        removed: [],
        next: null,
      }),
    };
    const table = await said(t, ['generations'], answers);
    assert.match(table, /REMOVED +RELEASE$/m);
    assert.match(table, /step 42 \(sha256-a1a1a1a1a1a1\) by Zoe <zoe@example\.com>: Load the orders$/m);
    assert.equal(
      await said(t, ['diff'], answers),
      '--- step 41 (sha256-b2b2b2b2b2b2) by amy: First\n' +
        '+++ step 42 (sha256-a1a1a1a1a1a1) by Zoe <zoe@example.com>: Load the orders\n+ a.py\n',
    );
  });

  test('names the release with which a file became visible', async (t) => {
    const entry = await fakeParts().tree.entry('a.py', new AbortController().signal);
    const first = { at: generation.publishedAt, generation: { id: ID, number: 2, release: pastRelease } };
    const out = await said(t, ['why', 'a.py'], {
      ...status(),
      'GET /v1/entries/a.py': () => ({ ...entry, firstVisible: first }),
    });
    assert.match(
      out,
      /^released by +step 42 \(sha256-a1a1a1a1a1a1\) by Zoe <zoe@example\.com>: Load the orders$/m,
    );
  });
});

describe('several nodes that show one environment', () => {
  async function nodeOf(
    t: Cleanup,
    items: readonly HistoryItem[],
    changes: Partial<Status> = {},
  ): Promise<string> {
    const [current] = items;
    const shown = {
      ...generation,
      id: current!.id,
      number: current!.number,
      publishedAt: current!.publishedAt,
    };
    const { socket } = await fakeDaemon(t, {
      'GET /v1/status': () =>
        statusOf({ generation: shown, release: { ...release, ...current!.release }, ...changes }),
      'GET /v1/generations': () => ({ items, next: null }),
    });
    return socket;
  }

  test('are compared by the numbers of their steps, whatever their clocks and histories say', async (t) => {
    const late = '2027-01-01T00:00:00.000Z';
    const lagging = await nodeOf(t, [{ ...itemOf(OTHER_ID, 9), publishedAt: late, release: before }]);
    const newest = await nodeOf(t, [{ ...itemOf(ID, 1), release: pastRelease }]);
    const { out } = await ran(['status', '--socket', lagging, '--socket', newest]);
    assert.match(out, /STATE +RELEASE$/m);
    assert.match(out, /^.* +production, step 41 \(sha256-b2b2b2b2b2b2\) by amy: First$/m);
    assert.match(out, new RegExp(`1 of 2 nodes show the newest tree, ${ID}`));
    assert.match(out, new RegExp(`^${lagging} lags since`, 'm'));
  });

  test('of which one holds the ref name why', async (t) => {
    const ref = { ...held, files: 0, removed: 0, reason: 'signature' };
    const source = { ...statusOf().source, kind: 'release' as const };
    const lagging = await nodeOf(t, [{ ...itemOf(OTHER_ID, 1), release: before }], { held: ref, source });
    const newest = await nodeOf(t, [{ ...itemOf(ID, 2), release: pastRelease }]);
    const { out } = await ran(['status', '--socket', lagging, '--socket', newest]);
    assert.match(out, /It holds a release back since .* \(signature\): see dagmount status/);
  });
});
