import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HostError } from '../../src/host/host-error.ts';
import {
  StepMemoryDirectory,
  type StepMemoryPlace,
  stepMemoryPath,
} from '../../src/state/step-memory-directory.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

const owner = process.getuid?.() ?? 0;

async function place(t: Cleanup): Promise<StepMemoryPlace> {
  return {
    stateDirectory: join(await temporaryDirectory(t), 'state'),
    root: 's3://b/r',
    environment: 'production',
  };
}

function opened(where: StepMemoryPlace, log = new RecordingLog()): StepMemoryDirectory {
  return StepMemoryDirectory.open(where, owner, log);
}

function step(sequence: number, digit = 'a') {
  return { sequence, digest: digit.repeat(64), created: 1_700_000_000_000 + sequence };
}

describe('the steps that are remembered', () => {
  test('are there after a restart, and apart by root and environment', async (t) => {
    const where = await place(t);
    assert.equal(opened(where).newest, undefined);
    await opened(where).raise(step(7));
    assert.deepEqual(opened(where).newest, { ...step(7), accepted: false });
    assert.equal(opened({ ...where, environment: 'staging' }).newest, undefined);
    assert.equal(opened({ ...where, root: 's3://b/other' }).newest, undefined);
    assert.deepEqual(opened(where).newest, { ...step(7), accepted: false });
  });

  test('take one name on the disk, whatever came before', async (t) => {
    const where = await place(t);
    const memory = opened(where);
    for (let sequence = 1; sequence <= 20; sequence++) await memory.raise(step(sequence));
    assert.equal((await readdir(stepMemoryPath(where))).length, 1);
    assert.equal(opened(where).newest?.sequence, 20);
  });

  test('go back only where an operator accepts an earlier one, which is kept as such', async (t) => {
    const where = await place(t);
    const memory = opened(where);
    await memory.raise(step(7));
    await memory.raise(step(6, 'b'));
    await memory.raise(step(7, 'b'));
    assert.deepEqual(opened(where).newest, { ...step(7), accepted: false });
    await memory.accept(step(5, 'b'));
    assert.deepEqual(memory.newest, { ...step(5, 'b'), accepted: true });
    assert.deepEqual(opened(where).newest, { ...step(5, 'b'), accepted: true });
    await memory.raise(step(6, 'c'));
    assert.deepEqual(opened(where).newest, { ...step(6, 'c'), accepted: false });
  });

  test('are never lowered by several mounts that write at the same time', async (t) => {
    const where = await place(t);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }), {
          minLength: 2,
          maxLength: 4,
        }),
        async (mounts) => {
          await rm(where.stateDirectory, { recursive: true, force: true });
          const memories = mounts.map(() => opened(where));
          await Promise.all(
            mounts.map(async (sequences, at) => {
              for (const sequence of sequences) await memories[at]!.raise(step(sequence));
            }),
          );
          assert.equal(opened(where).newest?.sequence, Math.max(...mounts.flat()));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('are read among files that are none of ours', async (t) => {
    const where = await place(t);
    await opened(where).raise(step(3));
    for (const name of ['0000000009.tmp', 'README', `99.${'a'.repeat(64)}.1`, '.x'])
      await writeFile(join(stepMemoryPath(where), name), '');
    assert.equal(opened(where).newest?.sequence, 3);
  });

  test('are not trusted where others can write, or where a link leads elsewhere', async (t) => {
    const where = await place(t);
    await opened(where).raise(step(3));
    const path = stepMemoryPath(where);
    await chmod(path, 0o777);
    assert.throws(() => opened(where), { code: 'open-to-others' });
    await chmod(path, 0o700);
    await chmod(dirname(path), 0o777);
    assert.throws(() => opened(where), { code: 'open-to-others' });
    await chmod(dirname(path), 0o700);
    await rm(path, { recursive: true });
    const elsewhere = await temporaryDirectory(t);
    await symlink(elsewhere, path);
    assert.throws(() => opened(where), HostError);
  });

  test('are not trusted where another user made them', { skip: owner !== 0 && 'needs root' }, async (t) => {
    const where = await place(t);
    await opened(where).raise(step(3));
    await chown(stepMemoryPath(where), 1234, 1234);
    assert.throws(() => opened(where), { code: 'other-owner' });
  });

  test('are held in memory where the disk takes nothing, and that is said once', async (t) => {
    const where = await place(t);
    await writeFile(where.stateDirectory, 'no directory');
    const log = new RecordingLog();
    const memory = opened(where, log);
    await memory.raise(step(1));
    await memory.raise(step(2));
    assert.equal(memory.newest?.sequence, 2);
    assert.equal(memory.trouble, 'ENOTDIR');
    assert.equal(log.told('step-not-kept').length, 1);
    await assert.rejects(memory.accept(step(1)), { code: 'state-dir-unwritable' });
    assert.equal(memory.newest?.sequence, 2);
    await rm(where.stateDirectory);
    await mkdir(where.stateDirectory, { mode: 0o700 });
    assert.equal(memory.isUnkept, true);
    await memory.raise(step(2));
    assert.equal(memory.trouble, undefined, 'the newest is tried again');
    assert.equal(memory.isUnkept, false);
    assert.equal(opened(where).newest?.sequence, 2);
    await memory.raise(step(3));
    assert.equal(log.told('step-kept').length, 1);
    assert.equal(opened(where).newest?.sequence, 3);
  });
});
