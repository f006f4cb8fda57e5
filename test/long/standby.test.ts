import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { LogEvent } from '../../src/base/log-events.ts';
import { inParts, LONG_AGO, Store } from '../source/standby/two-stores.ts';
import { dagmount, mountImpossible, startMount, statusOf } from '../support/mount.ts';
import { type Reader, read, startPython } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const FLIPS = 10;
/** The speed of the mount's clock, against this process's: the mount goes back to the first store after a minute. */
const CLOCK_RATE = 10;
const MINUTE = 60_000;

/** Two stores with the same files, a mount of them with a fast clock, and eight readers. */
async function startFlipping(t: TestContext) {
  const [first, second] = [
    new Store('s3://bucket/dags/', inParts('a')),
    new Store('s3://west/dags/', inParts('b')),
  ];
  await Promise.all([first.start(t), second.start(t)]);
  for (let file = 0; file < 50; file++) first.put(`f${file}.py`, `print(${file})`, LONG_AGO + file * MINUTE);
  second.copyFrom(first);
  first.dropsConnections = true;
  const began = Date.now();
  const mount = await startMount(t, {
    source: 's3://bucket/dags',
    cli: join(repository, 'dist/test/support/fast-clock-daemon.js'),
    env: { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's', TEST_CLOCK_RATE: String(CLOCK_RATE) },
    args: [
      ...['--endpoint-url', first.endpoint, '--poll-interval', '10s', '--settle', '0'],
      ...['--standby-source', 's3://west/dags', '--standby-endpoint-url', second.endpoint],
    ],
  });
  const readers: Reader[] = Array.from({ length: 8 }, () =>
    startPython('rescan.py', [mount.target, '0.02'], { stdin: 'pipe', deadlineMs: 1_200_000 }),
  );
  defer(t, () => {
    for (const reader of readers) reader.kill();
  });
  const publications = (): number => mount.log().filter(({ event }) => event === 'published').length;
  return {
    first,
    second,
    mount,
    /** The time of the mount's clock. */
    now: () => began + (Date.now() - began) * CLOCK_RATE,
    isOnStandby: async () => (await statusOf(mount)).degraded.includes('on-standby'),
    shown: async () => (await statusOf(mount)).generation?.id,
    heldFor: async () => (await statusOf(mount)).held?.reason,
    count: (event: LogEvent) => mount.log().filter((line) => line.event === event).length,
    publications,
    /** Ends the readers, and asserts that they found no problem. */
    assertRead: async () => {
      for (const reader of readers) reader.end();
      let walks = 0;
      for (const { done } of readers) {
        const { stdout, stderr } = await done;
        const read = JSON.parse(stdout) as { walks: number; problems: readonly string[] };
        assert.deepEqual(read.problems, [], stderr);
        walks += read.walks;
      }
      t.diagnostic(`${walks} walks by eight readers, ${publications()} trees published`);
    },
  };
}

describe('a standby source', { skip: mountImpossible }, () => {
  test('is read under eight readers while the first is cut off, held while it is behind, and left by itself', async (t) => {
    const nodes = await startFlipping(t);
    const { first, second, mount, now, isOnStandby, shown } = nodes;
    const before = await shown();
    first.isDown = true;
    await waitFor('the standby to be read', isOnStandby);
    assert.equal(await shown(), before, 'other ETags, the same bytes: nothing is shown as changed');
    second.put('new.py', 'print("deployed to the standby")', now());
    await waitFor('the deploy to be seen', async () => (await shown()) !== before);
    const deployed = await shown();

    first.isDown = false;
    await waitFor('the first to be found behind', async () => {
      const { source } = await statusOf(mount);
      return source.standby?.firstIsBehind?.includes('new.py');
    });
    first.copyFrom(second);
    await waitFor('the first to be read', async () => !(await isOnStandby()));
    assert.equal(await shown(), deployed);

    // The standby has what the first store had an hour ago.
    for (let file = 0; file < 5; file++) first.put(`f${file}.py`, `print("newer ${file}")`, now());
    await waitFor('the changes in the first', async () => (await shown()) !== deployed);
    const newest = await shown();
    first.isDown = true;
    await waitFor(
      'what is behind to be held',
      async () => (await statusOf(mount)).held?.reason === 'standby-behind',
    );
    const { held } = await statusOf(mount);
    assert.match(held?.detail ?? '', /f\d\.py, and 4 more/);
    assert.equal(await shown(), newest);
    first.isDown = false;
    await waitFor('the first to be read', async () => !(await isOnStandby()));
    await waitFor('the hold to end', async () => (await statusOf(mount)).held === null);
    assert.equal(await shown(), newest);
    await nodes.assertRead();
    assert.equal(nodes.publications(), 3, 'the first tree, and one a deploy');
  });

  test('that is behind for good is shown once an operator accepts it', async (t) => {
    const { first, second, mount, now, isOnStandby, shown, heldFor, assertRead } = await startFlipping(t);
    const before = await shown();
    first.put('f1.py', 'print("newer")', now());
    await waitFor('the change', async () => (await shown()) !== before);
    first.isDown = true;
    await waitFor('what is behind to be held', async () => (await heldFor()) === 'standby-behind');
    const newest = await shown();
    const refused = await dagmount(['accept', '0'.repeat(32), '--socket', mount.socket()], mount.environment);
    assert.notEqual(refused.code, 0);
    assert.equal(await shown(), newest);
    const accepted = await dagmount(['accept', '--socket', mount.socket()], mount.environment);
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.notEqual(await shown(), newest);
    assert.equal(await read('cat', [join(mount.target, 'f1.py')]), 'print(1)');
    second.put('f2.py', 'print("fixed")', now());
    await waitFor('a deploy to the standby', async () => {
      return (await read('cat', [join(mount.target, 'f2.py')])) === 'print("fixed")';
    });
    first.put('f2.py', 'print("fixed")', now());
    first.isDown = false;
    await waitFor('the first to be read', async () => !(await isOnStandby()));
    await waitFor('what it has', async () => {
      return (await read('cat', [join(mount.target, 'f1.py')])) === 'print("newer")';
    });
    await assertRead();
  });

  test(`is taken and left once in each of ${FLIPS} outages in a row, and nothing changes by it`, async (t) => {
    const { first, isOnStandby, shown, count, publications, assertRead } = await startFlipping(t);
    // The daemon retries a dropped connection in real time, which the tests above wait for.
    first.dropsConnections = false;
    const before = await shown();
    for (let flip = 0; flip < FLIPS; flip++) {
      first.isDown = true;
      await waitFor('the standby to be read', isOnStandby);
      first.isDown = false;
      await waitFor('the first to be read', async () => !(await isOnStandby()));
    }
    assert.deepEqual([count('standby-taken'), count('standby-left')], [FLIPS, FLIPS]);
    assert.equal(await shown(), before);
    assert.equal(publications(), 1);
    await assertRead();
  });
});
