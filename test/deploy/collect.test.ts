import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { collect } from '../../src/deploy/collect.ts';
import { readStanding, readStep } from '../../src/deploy/current-step.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { rollback } from '../../src/deploy/move.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import { collectFile } from '../../src/deploy/source-files.ts';
import { releaseKeys } from '../../src/release/index.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { deployOptions } from './deploy-options.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const { signal } = new AbortController();
const HOUR = 3600 * 1000;

/** A release root with a clock of its own. */
class Root {
  readonly store = new MemoryReleaseStore();
  time = 1_000 * HOUR;

  constructor() {
    this.store.now = () => this.time;
  }

  #options(environment: string) {
    return deployOptions({
      store: this.store,
      environment,
      allowDeletions: true,
      now: () => this.time,
      signal,
    });
  }

  async deploy(text: string, environment = 'production', check?: () => Promise<void>): Promise<void> {
    const source = join(directory, 'x');
    writeFileSync(source, text);
    const files = [await collectFile(source, 'x')];
    const options = this.#options(environment);
    await deploy({ kind: 'tree', files }, check === undefined ? options : { ...options, check });
  }

  rollback(sequence: number): Promise<unknown> {
    return rollback({ kind: 'sequence', sequence }, this.#options('production'));
  }

  collect(act = true, keep = 1, youngerThanMs = 0) {
    return collect(act, {
      store: this.store,
      keep,
      youngerThanMs,
      concurrency: 4,
      now: () => this.time,
      signal,
    });
  }

  /** Reads the first file that an environment shows. */
  async read(environment = 'production'): Promise<string> {
    const { step } = await readStanding(this.store, environment, signal);
    const { files } = await readManifest(this.store, step!.payload, signal);
    return Buffer.from(await readContent(this.store, files[0]!, signal)).toString();
  }
}

describe('collecting', () => {
  test('says what would go, and touches nothing, unless it is to act', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR;
    const before = new Map(root.store.objects);
    assert.equal((await root.collect(false)).condemned.length, 2);
    assert.deepEqual(root.store.objects, before);
  });

  test('condemns first, and deletes two hours later what nobody needs', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR;
    const first = await root.collect();
    assert.deepEqual([first.condemned.length, first.deleted.length], [2, 0]);
    root.time += 2 * HOUR - 1;
    assert.deepEqual((await root.collect()).deleted, []);
    root.time += 1;
    assert.deepEqual((await root.collect()).deleted.toSorted(), first.condemned.toSorted());
    assert.equal(await root.read(), '2');
    assert.ok(root.store.objects.has(releaseKeys.logEntry('production', 1)), 'the log stays');
    assert.deepEqual((await root.collect()).condemned, []);
  });

  test('keeps the newest so many, what was in force within the time, and what any environment shows', async () => {
    const root = new Root();
    await root.deploy('staged', 'staging');
    for (const text of ['1', '2', '3', '4']) {
      await root.deploy(text);
      root.time += HOUR;
    }
    assert.equal((await root.collect(false, 2)).condemned.length, 4);
    assert.equal((await root.collect(false, 1, 2 * HOUR)).condemned.length, 2);
    assert.equal((await root.collect(false, 4)).condemned.length, 0);
  });

  test('spares what is shown again, and a roll-back to what is condemned is refused', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR;
    await root.collect();
    await assert.rejects(root.rollback(1), { code: 'no-such-release' });
    // A new deploy of the same source writes its contents again, under other keys.
    await root.deploy('1');
    root.time += 3 * HOUR;
    await root.collect();
    assert.equal(await root.read(), '1');
  });

  test('deletes nothing that a slow writer counts on: that one gives up before', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    const slow = root.deploy('1', 'production', async () => {
      root.time += HOUR;
      await root.collect();
      root.time += 2 * HOUR;
      await root.collect();
    });
    await assert.rejects(slow, { code: 'overtaken' });
    assert.equal(await root.read(), '2');
  });

  test('deletes nothing that was put in force while it looked, by whoever did not heed it', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR;
    await root.collect();
    root.time += 3 * HOUR;
    const { store } = root;
    store.fault = (call) => {
      if (!call.startsWith('read manifests/')) return 'none';
      // The collector has read the refs by now. From here on, the log's first step is in force.
      const first = store.objects.get(releaseKeys.logEntry('production', 1))!;
      store.objects.set(releaseKeys.ref('production'), first);
      return 'none';
    };
    await assert.rejects(root.collect(), { code: 'overtaken' });
    assert.equal(await root.read(), '1');
  });

  test('does not condemn what is younger than a deploy may take: one may be about to need it', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR - 1;
    assert.deepEqual((await root.collect()).condemned, []);
    root.time += 1;
    assert.equal((await root.collect()).condemned.length, 2);
  });

  test('condemns nothing that a deploy needs which ends while it looks', async () => {
    const root = new Root();
    await root.deploy('1');
    await root.deploy('2');
    root.time += HOUR;
    root.store.fault = (call) => {
      const first = root.store.objects.get(releaseKeys.logEntry('production', 1))!;
      if (call === 'list manifests/') root.store.objects.set(releaseKeys.ref('production'), first);
      return 'none';
    };
    const { condemned } = await root.collect();
    const { step } = await readStanding(root.store, 'production', signal);
    const { release, manifest } = step!.payload;
    assert.equal(step!.payload.sequence, 1);
    assert.ok(!condemned.includes(releaseKeys.manifest(release, manifest.sha256)));
  });

  test('what is condemned although it is shown can be deployed again, which writes it anew', async () => {
    const root = new Root();
    await root.deploy('1');
    const { store } = root;
    const [manifest] = [...store.objects.keys()].filter((key) => /[0-9a-f]{64}\.json$/.test(key));
    const condemned = { condemned: [{ at: root.time, key: manifest }], schema: 1 };
    store.objects.set(releaseKeys.condemned, Buffer.from(JSON.stringify(condemned)));
    await root.deploy('1');
    store.objects.delete(manifest!);
    assert.equal(await root.read(), '1');
  });

  test('keeps the manifest by which a release that was deployed again is found as a version', async () => {
    const root = new Root();
    const options = deployOptions({
      store: root.store,
      allowDeletions: true,
      now: () => root.time,
      signal,
    });
    const [one, other] = ['one', 'other'].map((name) => {
      const source = join(directory, name);
      writeFileSync(source, name);
      return collectFile(source, name);
    });
    const both = [await one!, await other!];
    await deploy({ kind: 'tree', files: both }, options);
    await deploy({ kind: 'tree', files: [both[0]!] }, options);
    // The same release as the first, with the second file in a pack of its own.
    await deploy({ kind: 'files', files: [both[1]!], removed: [] }, options);
    const { step } = await readStanding(root.store, 'production', signal);
    const key = releaseKeys.witness(step!.payload.release, 'production');
    const witness = readStep(root.store.objects.get(key)!);
    assert.notEqual(witness.payload.manifest.sha256, step!.payload.manifest.sha256);
    for (let times = 0; times < 3; times++) {
      root.time += 3 * HOUR;
      await root.collect();
    }
    await readManifest(root.store, witness.payload, signal);
  });

  test('is heeded by a deploy also for what the current release has, which is written anew', async () => {
    const root = new Root();
    await root.deploy('1');
    const { store } = root;
    const pack = [...store.objects.keys()].find((key) => key.startsWith(releaseKeys.packs))!;
    const condemned = { condemned: [{ at: root.time, key: pack }], schema: 1 };
    store.objects.set(releaseKeys.condemned, Buffer.from(JSON.stringify(condemned)));
    const source = join(directory, 'y');
    writeFileSync(source, 'y');
    const files = [await collectFile(source, 'y')];
    await deploy(
      { kind: 'files', files, removed: [] },
      deployOptions({ store, environment: 'production', now: () => root.time, signal }),
    );
    store.objects.delete(pack);
    assert.equal(await root.read(), '1');
  });

  test('ends where a step cannot be read, and deletes nothing', async () => {
    const root = new Root();
    for (const text of ['1', '2', '3']) await root.deploy(text);
    root.store.objects.set(releaseKeys.logEntry('production', 2), Buffer.from('{}'));
    const before = new Map(root.store.objects);
    await assert.rejects(root.collect(true, 5), { code: 'malformed', message: /log\/production/ });
    assert.deepEqual(root.store.objects, before);
  });

  test('never deletes refs, logs or keys of others, whatever the list of the condemned says', async () => {
    const root = new Root();
    await root.deploy('1');
    for (const key of [
      'refs/production.json',
      'log/production/0000000001.json',
      '../other',
      'packs/../refs/production.json',
    ]) {
      root.store.objects.set(
        releaseKeys.condemned,
        Buffer.from(`{"condemned":[{"at":0,"key":"${key}"}],"schema":1}`),
      );
      await assert.rejects(root.collect(), { code: 'malformed' });
    }
    assert.equal(await root.read(), '1');
  });

  test('leaves every environment whole, in any order of deploys, roll-backs, collections and hours', async () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant('deploy' as const),
        text: fc.constantFrom('1', '2', '3', '4'),
        environment: fc.constantFrom('production', 'staging'),
      }),
      fc.record({ kind: fc.constant('rollback' as const), sequence: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant('collect' as const) }),
      fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const root = new Root();
        const shown = new Map<string, string>();
        for (const one of operations) {
          if (one.kind === 'deploy') {
            await root.deploy(one.text, one.environment);
            shown.set(one.environment, one.text);
          } else if (one.kind === 'rollback') {
            await root.rollback(one.sequence).then(
              async () => shown.set('production', await root.read()),
              (error) => assert.equal(error.code, 'no-such-release'),
            );
          } else if (one.kind === 'collect') await root.collect();
          else root.time += one.hours * HOUR;
          for (const [environment, text] of shown) assert.equal(await root.read(environment), text);
        }
      }),
      { numRuns: 150 },
    );
  });
});
