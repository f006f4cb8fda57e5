import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Generations } from '../../src/control/shapes/status.ts';
import { MountedRun } from '../model/mounted.ts';
import type { Bucket } from '../model/operations.ts';
import { long } from '../model/seed.ts';
import { endImporter, startImporter } from '../support/importer.ts';
import { controlOf, mountImpossible } from '../support/mount.ts';
import { defer } from '../support/temporary.ts';
import { moduleBody, versionedModules } from '../support/versioned-modules.ts';
import { mountStore, openStore, padded } from './fixture.ts';

const modules = 200;
/** Directories beside the modules, with one file in each. */
const parts = long ? 2_000 : 100;
const readers = long ? 8 : 4;
/** Beside other tests, the readers leave half of the processor to them. */
const restSeconds = long ? 0 : 0.5;
/** 200 objects take 3 s. */
const uploadMsPerObject = 15;

const allModules = (version: number): readonly (readonly [string, string])[] => [
  ...versionedModules(modules, version),
  ['shared/thing.py', moduleBody('thing', version)],
];
const allParts = (version: number): readonly (readonly [string, string])[] =>
  Array.from({ length: parts }, (_, index) => [
    `shared/parts/p${padded(index, 4)}/part.py`,
    moduleBody('part', version),
  ]);

describe('promise 2, one generation a tree', { skip: mountImpossible }, () => {
  test('what changes together is published once, and a walk or an import within a generation sees no other', async (t) => {
    const first = [...allModules(1), ...allParts(1)];
    const store = await openStore(t, new Map(first));
    const args = ['--settle', '1s', '--max-delete', '100%'];
    const mount = await mountStore(t, store, { args });
    const control = controlOf(mount);
    const writable = {
      put: async (key: string, body: string) => void (await store.put(`dags/${key}`, body)),
      delete: (key: string) => store.delete(`dags/${key}`),
    };
    const bucket: Bucket = new Map(first);
    const run = new MountedRun(mount, writable, bucket);
    defer(t, () => run.stop());
    await run.check();
    const watching = Array.from({ length: readers }, () => startImporter(mount.tree, restSeconds));

    const deploys: readonly (readonly [string, readonly (readonly [string, string | undefined])[]])[] = [
      ['200 files and all parts are replaced', [...allModules(2), ...allParts(2)]],
      ['they are rolled back to older content', [...allModules(1), ...allParts(1)]],
      ['a directory of directories is removed', allParts(1).map(([key]) => [key, undefined])],
      ['it returns', allParts(1)],
      [
        'a file becomes a directory',
        [
          ['shared/thing.py', undefined],
          ['shared/thing.py/inner.py', moduleBody('inner', 1)],
        ],
      ],
      [
        'and a file again, with all replaced',
        [['shared/thing.py/inner.py', undefined], ...allModules(3), ...allParts(3)],
      ],
    ];
    let publications = 1;
    for (const [what, writes] of deploys) {
      const began = Date.now();
      await store.together(() => deploy(writes, run));
      t.diagnostic(`${what}: ${writes.length} requests in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      await run.settle();
      publications += 1;
      const { items } = await control.ask<Generations>('/v1/generations');
      assert.equal(items.length, publications, what);
      // Checks names, content, and the mtimes of all directories, right after each deploy.
      await run.check();
    }

    const results = await Promise.all(watching.map(endImporter));
    assert.deepEqual(
      results.flatMap(({ problems, mixed }) => [...problems, ...mixed]),
      [],
    );
    for (const { passes, versions } of results) assert.ok(passes > 0 && versions.length > 0);
    const proven = results.reduce((sum, result) => sum + result.proven, 0);
    const walks = results.reduce((sum, result) => sum + result.passes, 0);
    t.diagnostic(`${walks} walks, ${proven} of them between equal generations`);
    assert.ok(proven > 0, 'no walk lay between two equal generations');
    assert.ok(results.some(({ generations, versions }) => generations > 1 && versions.length > 1));
  });
});

/**
 * Spreads the writes over three seconds: less than 5 s, and never a pause as long as --settle. Deletions end before
 * uploads begin: to SeaweedFS keys are paths, and it loses the upload of `a/b` while it deletes the file `a`.
 */
async function deploy(
  writes: readonly (readonly [string, string | undefined])[],
  run: MountedRun,
): Promise<void> {
  const began = Date.now();
  const uploadMs = Math.min(3_000, uploadMsPerObject * writes.length);
  const isDeletion = ([, body]: readonly [string, string | undefined]): boolean => body === undefined;
  let index = 0;
  for (const part of [writes.filter(isDeletion), writes.filter((write) => !isDeletion(write))]) {
    const rest = part.values();
    const worker = async (): Promise<void> => {
      for (const [key, body] of rest) {
        const early = began + (uploadMs * index++) / writes.length - Date.now();
        if (early > 0) await delay(early);
        await run.write(key, body);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }
}
