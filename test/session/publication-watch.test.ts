import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { LockHolder } from '../../src/session/kernel/lock-holders.ts';
import { PublicationWatch, type StuckPublication } from '../../src/session/publication-watch.ts';
import { waitFor } from '../support/wait-for.ts';

/** Resolves with the holder after this many milliseconds, or with no holder if it is aborted before. */
function holderAfter(milliseconds: number, signal: AbortSignal): Promise<readonly LockHolder[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([holder]), milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve([]);
    });
  });
}

const holder: LockHolder = { pid: 7, tid: 8, uid: 1000, command: 'ls' };

describe('the watch over publications', () => {
  let events: string[];
  let changes: (StuckPublication | undefined)[];
  let holders: readonly LockHolder[] | 'hangs' | 'takes long';
  let searches: number;
  let watch: PublicationWatch;

  beforeEach(() => {
    events = [];
    changes = [];
    holders = [holder];
    searches = 0;
    const write = ({ event }: { event?: string }): void => void events.push(String(event));
    watch = new PublicationWatch({
      log: { info: write, error: write },
      now: () => 5_000,
      findHolders: (_nodeId, signal) => {
        searches += 1;
        if (holders === 'takes long') return holderAfter(70, signal);
        return holders === 'hangs' ? new Promise(() => undefined) : Promise.resolve(holders);
      },
      onChange: (stuck) => changes.push(stuck),
      searchMs: 20,
      everyMs: 1,
    });
  });

  test('says at once that one is stuck, then who holds it up, and says that only when it is another', async () => {
    watch.tell({ nodeId: 3, path: 'team' });
    assert.deepEqual(watch.stuck, { since: 5_000, directory: 'team', holders: [] });
    await waitFor('several searches', () => searches > 3);
    assert.deepEqual(changes, [{ since: 5_000, directory: 'team', holders: [holder] }]);
    holders = [];
    await waitFor('the other answer', () => changes.length === 2);
    watch.tell(undefined);
    assert.equal(watch.stuck, undefined);
    assert.equal(changes.at(-1), undefined);
    assert.deepEqual(events, ['publication-stuck', 'publication-stuck', 'publication-freed']);
    const before = searches;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(searches, before);
  });

  test('says so too where the search for who holds it up hangs, and begins no other', async () => {
    holders = 'hangs';
    watch.tell({ nodeId: 3, path: undefined });
    await waitFor('the news', () => changes.length === 1);
    assert.deepEqual(changes, [{ since: 5_000, directory: undefined, holders: [] }]);
    watch.tell({ nodeId: 4, path: 'other' });
    await waitFor('the news of the other', () => changes.length === 2);
    assert.equal(searches, 1);
    watch.stop();
  });

  test('gives a search more time where the last one was cut off, as on a host that is busy', async () => {
    holders = 'takes long';
    watch.tell({ nodeId: 3, path: 'team' });
    await waitFor('the holder', () => watch.stuck?.holders[0] === holder);
    assert.ok(searches > 1);
    watch.stop();
  });

  test('says nothing of what goes on without having been stuck', () => {
    watch.tell(undefined);
    assert.deepEqual([events, changes], [[], []]);
  });
});
