import { describe, test } from 'node:test';
import fc from 'fast-check';
import { kept } from '../model/kept.ts';
import { MountedRun, type WritableStore } from '../model/mounted.ts';
import {
  below,
  type History,
  historyOf,
  hostileKeys,
  type KeySpace,
  plainKeys,
  type Step,
} from '../model/operations.ts';
import { long, reportOf, seeded } from '../model/seed.ts';
import type { DeployedObjects } from '../support/deployed-objects.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { mountImpossible } from '../support/mount.ts';
import { TestS3 } from '../support/s3.ts';
import { identities } from '../support/seaweedfs.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { mountStore, openStore, type Store } from './fixture.ts';

/** Histories that run side by side, each below a directory of its own: one publication serves all of them. */
const lanes = 10;
const wanted = Number(process.env.DAGMOUNT_TEST_RUNS ?? (long ? 100 : 5));
/** How long fast-check may shrink a failure: each candidate takes some seconds. The histories have no limit. */
const shrinkingMs = long ? 960_000 : 240_000;
/** The daemon lists only when the run asks it to, and publishes every deletion. */
const args = ['--poll-interval', '1h', '--max-delete', '100%', '--allow-empty'];

interface ModelStore extends WritableStore {
  readonly endpoint: string;
  readonly bucket: string;
  readonly env: Readonly<Record<string, string>>;
}

/** SeaweedFS refuses a directory's marker where there is a file, and keeps some directories that became empty. */
async function realStore(test: Cleanup): Promise<ModelStore> {
  const store = await openStore(test);
  if (store.released !== undefined) return releasedStore(store, store.released);
  const s3 = new TestS3({ endpoint: store.endpoint, ...identities.admin });
  defer(test, () => s3.close());
  const prefix = 'dags/';
  const whole = (key: string): string => prefix + Buffer.from(key, 'latin1').toString();
  return {
    ...store,
    put: async (key, body) => {
      const { status } = await s3.send('PUT', `${store.bucket}/${whole(key)}`, {}, body);
      if (status !== 200 && status !== 409) throw new Error(`PUT ${whole(key)} answered ${status}`);
    },
    delete: (key) => store.delete(whole(key)),
    listed: async () => {
      const keys = await s3.list(store.bucket, prefix);
      const below = ([key, etag]: readonly [string, string]) =>
        [Buffer.from(key.slice(prefix.length)).toString('latin1'), etag] as const;
      return new Map([...keys].map(below));
    },
  };
}

/** Writes no keys that a release cannot have. */
function releasedStore(store: Store, released: DeployedObjects): ModelStore {
  const text = (key: string): string => Buffer.from(key, 'latin1').toString();
  return {
    ...store,
    put: (key, body) => released.put(text(key), body),
    delete: (key) => released.delete(text(key)),
    listed: async () =>
      new Map([...released.identities].map(([path, id]) => [Buffer.from(path).toString('latin1'), id])),
  };
}

async function hostileStore(test: Cleanup): Promise<ModelStore> {
  const store = await MemoryS3.start();
  defer(test, () => store.close());
  return {
    endpoint: store.endpoint,
    bucket: 'memory',
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    put: async (key, body) => store.put(`dags/${key}`, body),
    delete: async (key) => store.delete(`dags/${key}`),
  };
}

const firstTree: readonly (readonly [string, string])[] = [
  ['a.py', 'first\n'],
  ['pkg/', ''],
  ['pkg/b.py', ''],
  ['pkg/deep/er/c.py', 'x'.repeat(5000)],
];

/** The steps of all histories, side by side; the first step also deletes what earlier rounds left. */
function sideBySide(histories: readonly History[], round: number): readonly Step[] {
  const most = Math.max(...histories.map((history) => history.length));
  return Array.from({ length: most }, (_, at) => [
    ...(at === 0 ? [{ kind: 'clear', key: 'round-' } as const] : []),
    ...histories.flatMap((history, lane) =>
      (history[at] ?? []).map((operation) => below(`round-${round}-${lane}`, operation)),
    ),
  ]);
}

async function mountedRun(test: Cleanup, store: ModelStore): Promise<MountedRun> {
  for (const [key, body] of firstTree) await store.put(key, body);
  const run = new MountedRun(await mountStore(test, store, { args }), store, new Map(firstTree));
  defer(test, () => run.stop());
  await run.check();
  return run;
}

describe('on a mount, the tree of any history of puts and deletes', {
  skip: mountImpossible,
  concurrency: 3,
}, () => {
  const stores: readonly (readonly [string, KeySpace, (test: Cleanup) => Promise<ModelStore>])[] = [
    ['a real store', plainKeys, realStore],
    ['a store that takes any key', hostileKeys, hostileStore],
  ];
  for (const [what, keys, open] of stores) {
    test(`is that of the reference model, to a reader: ${what}`, async (t) => {
      const run = await mountedRun(t, await open(t));
      let round = 0;
      let done = 0;
      let shrunkUntil = Number.POSITIVE_INFINITY;
      const histories = fc.array(historyOf(keys, { most: 5, operations: 10 }), {
        minLength: 1,
        maxLength: lanes,
        size: 'max',
      });
      const property = fc.asyncProperty(histories, async (some) => {
        // Stops at the wanted number of histories. A failure is not counted, and fast-check shrinks it.
        if (done >= wanted || performance.now() > shrunkUntil) return;
        round += 1;
        try {
          for (const step of sideBySide(some, round)) await run.step(step);
        } catch (error) {
          shrunkUntil = Math.min(shrunkUntil, performance.now() + shrinkingMs);
          throw error;
        }
        done += some.length;
      });
      const details = await fc.check(property, seeded(t, wanted));
      if (details.failed) throw new Error(reportOf(details), { cause: details.errorInstance });
    });
  }

  test('is that of the model for the histories that are kept', async (t) => {
    const run = await mountedRun(t, await hostileStore(t));
    for (const [index, { name, history }] of kept.entries()) {
      await t.test(name, async () => {
        for (const step of sideBySide([history], index + 1)) await run.step(step);
      });
    }
  });
});
