import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Built } from '../../src/source/source.ts';
import { millisecondsOf } from '../../src/sync/instant.ts';
import type { Persister } from '../../src/sync/ports.ts';
import { publish } from '../../src/sync/publish.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakePresenter } from './doubles/fake-presenter.ts';
import { FakeSource } from './doubles/fake-source.ts';
import { mtimes, treeOf } from './doubles/trees.ts';

describe('publish', () => {
  const { signal } = new AbortController();
  let clock: FakeClock;
  let presenter: FakePresenter;
  let built: Built;
  let order: string[];

  beforeEach(async () => {
    clock = new FakeClock();
    presenter = new FakePresenter();
    order = [];
    const source = new FakeSource(() => clock.now());
    source.put('a', 'one');
    const before = await treeOf(source);
    source.put('a', 'two');
    built = await treeOf(source, before);
  });

  const run = (commit: Persister['commit'], lastSecond = 0) =>
    clock.drive(
      publish({
        publication: {
          generation: built.generation,
          fingerprints: new BigUint64Array(built.generation.entries),
          changes: built.changes,
        },
        number: 7,
        lastSecond,
        persister: { commit },
        presenter,
        swapping: () => order.push('swapping'),
        observeStage: () => undefined,
        clock,
        signal,
      }),
    );

  it('dates and commits before the swap, and is over once the instant has passed', async () => {
    presenter.onPublish = () => void order.push(`shown at ${clock.now()}`);
    const start = clock.now();
    const instant = await run(async (at) => {
      assert.equal(built.generation.number, 7);
      const stamped = mtimes(built.generation).get('a');
      assert.equal(stamped, BigInt(at.seconds) * 1_000_000_000n + BigInt(at.nanoseconds));
      order.push('committed');
    });
    assert.deepEqual(order, ['committed', 'swapping', `shown at ${start}`]);
    assert.ok(millisecondsOf(instant) > start);
    assert.ok(clock.now() > millisecondsOf(instant));
  });

  it('chooses another instant where committing took too long for the first', async () => {
    let commits = 0;
    presenter.onPublish = ({ generation }) => {
      const mtime = mtimes(generation).get('a')!;
      assert.ok(mtime > BigInt(Math.floor(clock.now())) * 1_000_000n, 'the mtime precedes the swap');
    };
    await run(async () => {
      commits += 1;
      if (commits === 1) await clock.sleep(500, signal);
    });
    assert.equal(commits, 2);
  });

  it('is not put off for ever by slow commits', async () => {
    let commits = 0;
    await run(async () => {
      commits += 1;
      await clock.sleep(500, signal);
    });
    assert.equal(commits, 3);
    assert.equal(presenter.publications.length, 1);
  });

  it('shows nothing where the commit fails', async () => {
    await assert.rejects(
      run(() => Promise.reject(new Error('no space'))),
      /no space/,
    );
    assert.deepEqual(order, []);
    assert.equal(presenter.publications.length, 0);
  });
});
