import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { readStanding } from '../../src/deploy/current-step.ts';
import { type Deployed, deploy } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import type { ReleaseStore } from '../../src/deploy/release-store.ts';
import { collectFile } from '../../src/deploy/source-files.ts';
import { deployOptions, wordsOf } from '../deploy/deploy-options.ts';
import { MemoryReleaseStore } from '../deploy/memory-release-store.ts';
import { openReleaseStore } from '../deploy/open-release-store.ts';
import { histories, writeContents } from '../deploy/operations.ts';
import { playHistory } from '../deploy/play-history.ts';
import { motoProgram, startMoto } from '../support/moto.ts';
import { identities, seaweedfsBinary, startSeaweedfs } from '../support/seaweedfs.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { startVersitygw, versitygwProgram } from '../support/versitygw.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const { signal } = new AbortController();
const HISTORIES = Number(process.env.DAGMOUNT_TEST_HISTORIES ?? 500);

interface Server {
  readonly endpoint: string;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** moto takes three times as long for a request as the others: it tries fewer histories if two others try all. */
const HISTORIES_OF_MOTO = versitygwProgram() === undefined ? HISTORIES : Math.min(60, HISTORIES);

const servers: readonly (readonly [
  name: string,
  there: boolean,
  start: () => Promise<Server>,
  histories: number,
])[] = [
  [
    'SeaweedFS',
    seaweedfsBinary() !== undefined,
    async () => {
      const seaweedfs = await startSeaweedfs();
      const { endpoint, stop } = seaweedfs;
      return { endpoint, stop, bucket: await seaweedfs.createBucket() };
    },
    HISTORIES,
  ],
  ['versitygw', versitygwProgram() !== undefined, () => startVersitygw(identities.admin), HISTORIES],
  [
    'moto',
    motoProgram() !== undefined,
    async () => {
      const { s3, endpoint, stop } = await startMoto();
      await s3.send('PUT', 'releases');
      return { endpoint, stop, bucket: 'releases' };
    },
    HISTORIES_OF_MOTO,
  ],
];

describe('random histories of three deployers and a collector', () => {
  const file = writeContents(join(directory, 'contents'));
  const seed = process.env.DAGMOUNT_TEST_SEED;
  const given = seed === undefined ? {} : { seed: Number(seed) };

  test('leave refs that somebody meant, and a whole log, in 10 times as many interleavings as scripts/test tries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), histories, async (scheduler, history) => {
        const store = new MemoryReleaseStore();
        const turn = scheduler.scheduleFunction(async () => undefined);
        store.gate = () => turn();
        await scheduler.waitFor(playHistory(history, store, file));
      }),
      { numRuns: 1500, ...given },
    );
  });

  for (const [name, there, start, numRuns] of servers) {
    const skip = there ? false : `${name} is not installed: scripts/test --long does that`;
    test(`leave refs that somebody meant, and a whole log, in ${name}`, { skip }, async (context) => {
      const server = await start();
      context.after(() => server.stop());
      let roots = 0;
      await fc.assert(
        fc.asyncProperty(histories, async (history) => {
          const { store, close } = await openReleaseStore({
            ...server,
            root: `root-${roots++}/`,
            credentials: identities.admin,
          });
          await playHistory(history, store, file).finally(close);
        }),
        { numRuns, ...given },
      );
    });
  }
});

describe('many small deploys', () => {
  let sources = 0;
  async function oneFile(path: string, text: string): Promise<Deployed> {
    const source = join(directory, `source-${sources++ % 100}`);
    writeFileSync(source, text);
    return { kind: 'files', files: [await collectFile(source, path)], removed: [] };
  }
  const options = (store: ReleaseStore, author: string) =>
    deployOptions({
      store,
      words: wordsOf(author),
      pause: (tries) => sleep(20 * tries * Math.random()),
      signal,
    });

  test('500 of one file each leave a release in no more packs, and as few requests, as a fresh one has at most', async () => {
    const store = new MemoryReleaseStore();
    const tree = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const source = join(directory, `tree-${at}`);
        writeFileSync(source, `# ${at}\n`.repeat(500));
        return collectFile(source, `dag_${at}.py`);
      }),
    );
    await deploy({ kind: 'tree', files: tree }, options(store, 'ci'));
    let most = 0;
    for (let at = 0; at < 500; at++) {
      await deploy(await oneFile(`dag_${at % 200}.py`, `# ${at}, new\n`.repeat(300)), options(store, 'zoe'));
      const { step } = await readStanding(store, 'production', signal);
      const { files } = await readManifest(store, step!.payload, signal);
      most = Math.max(most, new Set(files.flatMap(({ place }) => place?.pack ?? [])).size);
    }
    assert.ok(most <= 16, `${most} packs`);
  });

  const [name, there, start] = servers[0]!;
  const skip = there ? false : `${name} is not installed: scripts/test does that`;
  test('two developers deploy different files at once, 50 times: both are in', { skip }, async (context) => {
    const server = await start();
    context.after(() => server.stop());
    const root = await openReleaseStore({ ...server, root: 'two/', credentials: identities.admin });
    context.after(() => root.close());
    const { store } = root;
    for (let at = 0; at < 50; at++) {
      const ours = [await oneFile('zoe.py', `z = ${at}\n`), await oneFile('yves.py', `y = ${at}\n`)];
      await Promise.all(ours.map((one, who) => deploy(one, options(store, ['zoe', 'yves'][who]!))));
      const { step } = await readStanding(store, 'production', signal);
      const { files } = await readManifest(store, step!.payload, signal);
      const texts = await Promise.all(
        files.map(async (one) => Buffer.from(await readContent(store, one, signal)).toString()),
      );
      assert.deepEqual(texts, [`y = ${at}\n`, `z = ${at}\n`]);
    }
    const steps = await readHistory({
      store,
      environment: 'production',
      most: 200,
      signers: undefined,
      concurrency: 8,
      signal,
    });
    assert.equal(steps.length, 100);
    assert.deepEqual(
      steps.flatMap(({ flaws }) => flaws),
      [],
    );
  });
});
