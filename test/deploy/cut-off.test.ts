import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { readStanding } from '../../src/deploy/current-step.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { promote, rollback } from '../../src/deploy/move.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import type { ReleaseStore } from '../../src/deploy/release-store.ts';
import type { S3ReleaseStore } from '../../src/deploy/s3-release-store.ts';
import { collectFile } from '../../src/deploy/source-files.ts';
import { RefWatch } from '../../src/source/release/ref-watch.ts';
import type { ReleaseReader } from '../../src/source/release/release-reader.ts';
import { VolatileStepMemory } from '../../src/source/release/step-memory.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { deployOptions, wordsOf } from './deploy-options.ts';
import { type Faults, FaultyReleaseStore, Killed, LostAnswer } from './faulty-release-store.ts';
import { openReleaseStore } from './open-release-store.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const { signal } = new AbortController();
const NONE: Faults = { killed: undefined, lost: undefined, stalled: undefined, paused: 0 };
/** Otherwise an answer is lost only after the request took effect, and only a deploy is killed before it sends. */
const isLong = process.env.DAGMOUNT_TEST_LONG === '1';
/** More requests than any of these moves makes. */
const MOST_REQUESTS = 40;

const optionsOf = (store: ReleaseStore, message: string, environment = 'production') =>
  deployOptions({ store, environment, words: wordsOf('zoe', message), allowDeletions: true, signal });

async function put(store: ReleaseStore, path: string, text: string, message: string, environment?: string) {
  const source = join(directory, 'source');
  writeFileSync(source, text);
  const files = [await collectFile(source, path)];
  return deploy({ kind: 'files', files, removed: [] }, optionsOf(store, message, environment));
}

/** The name of each move, what it does, and what the environment shows once it took effect. */
const moves: readonly (readonly [string, (store: ReleaseStore) => Promise<unknown>, string])[] = [
  ['a deploy', (store) => put(store, 'a.py', 'new', 'cut off'), 'new'],
  ['a promotion', (store) => promote('staging', optionsOf(store, 'cut off')), 'staged'],
  ['a roll-back', (store) => rollback({ kind: 'previous' }, optionsOf(store, 'cut off')), 'first'],
];

/** A node that shows the environment. */
function nodeOf(store: ReleaseStore): RefWatch {
  const reader: ReleaseReader = {
    read: async (key, { most }) => {
      const object = await store.read(key, most, signal);
      return {
        look: object === undefined ? { kind: 'absent' } : { kind: 'read', ...object },
        date: undefined,
      };
    },
  };
  return new RefWatch({
    reader,
    root: 'root',
    environment: 'production',
    signers: undefined,
    minSequence: 0,
    memory: new VolatileStepMemory(),
    clock: Date,
  });
}

/** Reads every file that production shows, so all of them must be there. */
async function shown(store: ReleaseStore): Promise<Readonly<Record<string, string>>> {
  const { step } = await readStanding(store, 'production', signal);
  const { files } = await readManifest(store, step!.payload, signal);
  const contents = await Promise.all(
    files.map(async (one) => [one.path, Buffer.from(await readContent(store, one, signal)).toString()]),
  );
  return Object.fromEntries(contents);
}

describe('cut off at each request, before it is sent and after it took effect,', () => {
  let server: FauxqsServer;
  let roots = 0;

  before(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/releases`, { method: 'PUT' })).status, 200);
  });
  after(() => server.stop());

  async function rooted<T>(work: (store: S3ReleaseStore) => Promise<T>): Promise<T> {
    const { store, close } = await openReleaseStore({
      endpoint: `http://127.0.0.1:${server.port}`,
      bucket: 'releases',
      root: `root-${roots++}/`,
      credentials: { accessKeyId: 'k', secretAccessKey: 's' },
    });
    return work(store).finally(close);
  }

  /** @returns whether the fault was met */
  const tried = (move: (store: ReleaseStore) => Promise<unknown>, text: string, faults: Faults) =>
    rooted(async (store) => {
      await put(store, 'a.py', 'first', 'first');
      await put(store, 'a.py', 'second', 'second');
      await put(store, 'a.py', 'staged', 'staged', 'staging');
      const node = nodeOf(store);
      assert.equal((await node.look(signal)).kind, 'release');
      let end: 'taken' | 'unknown' = 'taken';
      try {
        await move(
          new FaultyReleaseStore(store, faults, {
            whileRefMoves: (work) => work(),
            untilCollected: async () => undefined,
            untilDeployed: async () => undefined,
          }),
        );
      } catch (error) {
        assert.ok(error instanceof Killed || error instanceof LostAnswer, String(error));
        end = 'unknown';
      }
      const seen = await node.look(signal);
      const now = (await shown(store))['a.py'];
      assert.ok(now === text || (now === 'second' && end === 'unknown'), `${now} is shown`);
      assert.equal(seen.kind, now === text ? 'release' : 'unchanged', JSON.stringify(seen));

      await put(store, 'b.py', 'next', 'next');
      assert.deepEqual(await shown(store), { 'a.py': now, 'b.py': 'next' });
      assert.equal((await node.look(signal)).kind, 'release');
      const steps = await readHistory({
        store,
        environment: 'production',
        signers: undefined,
        concurrency: 4,
        most: 100,
        signal,
      });
      const messages = steps.toReversed().map(({ step }) => step?.payload.message);
      const meant = ['first', 'second', ...(now === text ? ['cut off'] : []), 'next'];
      assert.deepEqual(messages, meant, 'the log has each step once');
      assert.deepEqual(
        steps.flatMap(({ flaws }) => flaws),
        [],
      );
      return end === 'unknown';
    });

  for (const [name, move, text] of moves) {
    test(`${name} took effect as a whole or not at all, and the next deploy goes on from there`, async () => {
      for (const done of name === 'a deploy' || isLong ? [false, true] : [true]) {
        let at = 0;
        while (await tried(move, text, { ...NONE, killed: { at, done } })) at++;
        assert.ok(at > 5 && at < MOST_REQUESTS, `${at} requests`);
        if (!done && !isLong) continue;
        for (let lost = 0; lost < at; lost++) await tried(move, text, { ...NONE, lost: { at: lost, done } });
      }
    });
  }
});
