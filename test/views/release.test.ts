import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventShape } from '../../src/control/shapes/events.ts';
import { historyItemShape, statusShape } from '../../src/control/shapes/status.ts';
import type { ReleaseStep } from '../../src/source/source.ts';
import { pastReleaseOf } from '../../src/sync/history.ts';
import { heldView } from '../../src/views/daemon-views.ts';
import { DaemonEvents } from '../../src/views/events.ts';
import { pastReleaseMember, releaseView } from '../../src/views/release.ts';
import { HOSTILE_TEXT } from '../support/hostile-text.ts';

const step: ReleaseStep = {
  ref: 'production',
  sequence: 42,
  id: `sha256-${'a'.repeat(64)}`,
  author: 'zoe',
  message: 'Load the orders\nin two steps',
  commit: undefined,
  url: 'https://ci.example.com/1',
  created: Date.UTC(2026, 10, 1),
  signedBy: [{ fingerprint: 'SHA256:x', principals: 'zoe@example.com' }],
  allowsDeletions: false,
};

describe('what is shown of a release', () => {
  test('has the shape of status, with what is armed beside it', () => {
    const at = Date.UTC(2026, 10, 2);
    const candidate = { digest: 'd', objects: 1, requests: 1, release: { ...step, sequence: 43 } };
    const view = releaseView({ step, armed: { candidate, at } });
    assert.deepEqual(statusShape.shape.release.parse(view), view);
    assert.equal(view.seq, 42);
    assert.equal(view.commit, null);
    assert.equal(view.armed?.seq, 43);
    assert.equal(view.armed?.at, '2026-11-02T00:00:00.000Z');
    assert.equal(releaseView({ step, armed: undefined }).armed, null);
  });

  test('has bounded texts, as they were written, and no half of an address', () => {
    const long = `${HOSTILE_TEXT}${'x'.repeat(20_000)}`;
    const { author, message, url } = releaseView({
      step: { ...step, author: long, message: long, url: `https://ci.example.com/${'x'.repeat(5000)}` },
      armed: undefined,
    });
    assert.deepEqual([author.length, message.length, url], [200, 2000, null]);
    assert.ok(long.startsWith(message));
    const past = pastReleaseOf({ ...step, author: long, message: `${'y'.repeat(5000)}\nz` });
    assert.deepEqual([past.author.length, past.message.length], [200, 200]);
  });

  test('is named in the history, and with the events that tell of it', async () => {
    const past = pastReleaseMember(pastReleaseOf(step));
    assert.deepEqual(past, {
      release: { seq: 42, id: step.id, author: 'zoe', message: 'Load the orders' },
    });
    assert.deepEqual(pastReleaseMember(undefined), {});
    const entry = {
      id: '0'.repeat(32),
      number: 1,
      publishedAt: step.created,
      files: 1,
      added: 1,
      changed: 0,
      removed: 0,
      release: pastReleaseOf(step),
    };
    const events = new DaemonEvents();
    const { id, number, publishedAt, files } = entry;
    const generation = { id, number, publishedAt, files, directories: 1, bytes: 3 };
    events.notice({ kind: 'published', generation, entry });
    events.notice({ kind: 'armed', release: step, at: step.created });
    events.feed.close();
    const told: unknown[] = [];
    // After an id that the feed never gave, it sends all remembered events.
    for await (const text of events.feed.listen('other-0', new AbortController().signal)) {
      const [, data] = /^data: (.*)$/m.exec(text) ?? [];
      if (data !== undefined) told.push(eventShape.parse(JSON.parse(data)));
    }
    assert.deepEqual(
      told.map((event) => (event as { type: string; release: { seq: number } }).release.seq),
      [42, 42],
    );
    const shaped = { ...entry, publishedAt: new Date(publishedAt).toISOString(), ...past };
    assert.deepEqual(historyItemShape.parse(shaped), shaped);
  });
});

describe('what is shown of a ref that is held', () => {
  test('names the step, and says whether it can be accepted', () => {
    const view = heldView({
      generation: '0'.repeat(32),
      files: 0,
      removed: 0,
      since: 0,
      reason: 'rolled-back',
      detail: 'It is step 41.',
      hint: 'Put it back.',
      step: { sequence: 41, release: step.id, digest: 'd'.repeat(64) },
      acceptable: true,
    });
    assert.deepEqual(statusShape.shape.held.parse(view), view);
    assert.deepEqual(view.release, { seq: 41, id: step.id });
    assert.equal(view.acceptable, true);
  });
});
