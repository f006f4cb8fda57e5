import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { OLDEST_STATE_FORMAT, STATE_FORMAT } from '../../src/state/state-header.ts';
import { generationBytes } from '../../src/tree/index.ts';
import { Places } from './places.ts';

async function files(places: Places): Promise<string[]> {
  return [...(await readdir(places.runtimeDirectory)), ...(await readdir(places.cacheDirectory))].sort();
}

describe('what is kept of a publication', () => {
  it('is read back as it was, with its mtimes, from either place', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(300);
    places.source.put('a//b');
    await places.publish(100);
    places.source.put('dags/file00007.py', 'changed');
    places.source.put('new/file.py');
    const published = await places.publish(200);
    for (const gone of [undefined, places.takeover, places.coldStart]) {
      if (gone !== undefined) await rm(gone);
      const found = await places.find();
      assert.equal(found?.from, gone === places.takeover ? 'cache' : 'runtime');
      const { state } = found!;
      assert.deepEqual(generationBytes(state.generation), generationBytes(published.generation));
      assert.deepEqual(state.instant, { seconds: 200, nanoseconds: 123_456_789 });
      assert.equal(state.generation.mtimeSeconds(state.generation.find('dags/file00007.py')), 200);
      const { number, nextNodeId, peaks, history, digest, problems, removedDirectories } = published;
      assert.deepEqual(
        [state.number, state.nextNodeId, state.peaks, state.history, state.digest, state.problems],
        [number, nextNodeId, peaks, history, digest, problems],
      );
      assert.equal(state.problems.length, 1);
      assert.deepEqual(state.removedDirectories, removedDirectories);
      const [file, directory] = [...published.replaced];
      assert.deepEqual(state.replaced, [file, { ...directory, mtime: state.instant }]);
      assert.deepEqual(await files(places), ['generation', 'takeover'], 'each place has it again');
    }
  });

  it('is the state before, until it is committed', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    places.source.put('dags/new.py');
    await places.store.persist(await places.state());
    const found = await places.find();
    assert.equal(found?.state.number, 1);
    assert.equal(found.state.generation.find('dags/new.py'), -1);
    assert.deepEqual(await files(places), ['generation', 'takeover'], 'what was not finished is gone');
  });

  it('is nothing where the first was not committed', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.store.persist(await places.state());
    assert.equal(await places.find(), undefined);
    assert.deepEqual(await files(places), []);
  });

  it('keeps the state before, until the kernel has answered every notification', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    const first = await readFile(places.takeover);
    places.source.put('dags/new.py');
    await places.publish(200, false);
    assert.deepEqual(await readFile(`${places.takeover}.previous`), first);
    places.store.acknowledged();
    assert.ok(!existsSync(`${places.takeover}.previous`));
  });

  it('has the later instant where a second one had to be chosen', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await places.store.commit({ seconds: 101, nanoseconds: 1 });
    await places.store.close({ unmounted: false });
    for (const gone of [places.coldStart, places.takeover]) {
      await rm(gone);
      assert.deepEqual((await places.find())?.state.instant, { seconds: 101, nanoseconds: 1 });
    }
  });

  it('is the newer one of the two where a crash came between them', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    const stale = `${places.coldStart}.kept`;
    await copyFile(places.coldStart, stale);
    await places.publish(200);
    for (const behind of [places.coldStart, places.takeover]) {
      await copyFile(stale, behind);
      const found = await places.find();
      assert.equal(found?.state.number, 2);
      assert.deepEqual(await readFile(places.coldStart), await readFile(places.takeover));
    }
    assert.equal(places.log.count('warn'), 0);
  });

  it('leaves nothing for a successor once it is unmounted, where a cold start has as much', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await places.store.close({ unmounted: true });
    assert.ok(!existsSync(places.runtimeDirectory));
    assert.deepEqual(await readdir(places.cacheDirectory), ['generation']);
  });
});

describe('state that no later start may use', () => {
  it('is removed from both directories, whether or not the mount is gone', async (t) => {
    for (const unmounted of [true, false]) {
      const places = await Places.make(t);
      places.source.putFiles(3);
      await places.publish(100);
      await places.publish(200, false);
      await places.store.close({ unmounted, discards: true });
      assert.ok(!existsSync(places.runtimeDirectory));
      assert.deepEqual(await readdir(places.cacheDirectory), []);
      assert.equal(places.log.count('warn'), 0);
    }
  });

  it('does not keep the mount from its end where the cache directory fails', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await rm(places.cacheDirectory, { recursive: true });
    await places.store.close({ unmounted: true, discards: true });
    assert.ok(!existsSync(places.runtimeDirectory));
    assert.equal(places.log.count('warn'), 0);
  });
});

describe('a disk that does not take it', () => {
  it('in the cache directory: published all the same, told, and kept for a successor', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await mkdir(`${places.coldStart}.tmp`);
    await places.publish(200);
    assert.deepEqual(places.store.troubles, ['cache-unwritable']);
    assert.equal(places.log.count('warn', 'state-not-kept'), 1);
    await places.store.close({ unmounted: true });
    assert.ok(existsSync(places.takeover), 'the only copy stays, also when it is unmounted');
    assert.equal((await places.find())?.state.number, 2);
  });

  it('in the runtime directory: the stale state goes, since its ids are not those of the kernel', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await mkdir(`${places.takeover}.next`);
    await places.publish(200);
    assert.deepEqual(places.store.troubles, ['state-unwritable']);
    assert.ok(!existsSync(places.takeover));
    assert.equal((await places.find())?.state.number, 2);
    await rm(`${places.takeover}.next`, { recursive: true, force: true });
    await places.publish(300);
    assert.deepEqual(places.store.troubles, []);
    assert.equal(places.log.count('info', 'state-kept'), 1);
  });

  it('in the runtime directory, for one tree: no successor resumes until the kernel was told all changes since', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100, false);
    const first = await places.takeOver();
    assert.ok(first !== undefined && first.previous === undefined, 'the kernel knew nothing before');
    places.store.acknowledged();
    await mkdir(`${places.takeover}.next`);
    await places.publish(200);
    assert.equal(await places.takeOver(), undefined);
    await rm(`${places.takeover}.next`, { recursive: true });
    await places.publish(300, false);
    assert.ok(existsSync(places.takeover));
    assert.equal(await places.takeOver(), undefined, 'it does not know which notifications are missing');
    places.store.acknowledged();
    const third = await places.takeOver();
    assert.deepEqual([third?.state.number, third?.previous], [3, undefined]);
    await places.publish(400, false);
    assert.equal((await places.takeOver())?.previous?.number, 3);
  });

  it('in the runtime directory, since the start: the same holds for the tree that was resumed', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    // The restored tree is shown, and its copy in the runtime directory could not be written.
    places.store.acknowledged();
    await places.publish(100, false);
    assert.ok(existsSync(places.takeover));
    assert.equal(await places.takeOver(), undefined);
  });

  it('in the runtime directory, not even for an empty file: no state is in force until it takes one', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    places.store.acknowledged();
    await places.store.persist(await places.state());
    await rm(places.runtimeDirectory, { recursive: true });
    await places.store.commit({ seconds: 100, nanoseconds: 0 });
    assert.deepEqual(places.store.troubles, ['state-unwritable']);
    await mkdir(places.runtimeDirectory);
    await places.publish(200);
    assert.deepEqual(places.store.troubles, []);
  });

  it('that became read-only is told at the start, and what it has is shown', {
    skip: process.getuid?.() === 0 && 'root may write everywhere',
  }, async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(3);
    await places.publish(100);
    await rm(places.takeover);
    await chmod(places.runtimeDirectory, 0o500);
    assert.equal((await places.find())?.state.number, 1);
    await chmod(places.runtimeDirectory, 0o700);
  });
});

describe('a state file that is not what was written', () => {
  /** Checks that a start without another state file uses nothing of this one, and says so. */
  async function refused(places: Places, code: string): Promise<void> {
    const found = await places.find();
    assert.equal(found, undefined);
    const [line] = places.log.lines.splice(0);
    assert.equal(line?.level, 'warn');
    assert.equal(line.event, 'state-unusable');
    const fields = line.fields;
    assert.deepEqual([fields.file, fields.code, fields.outcome], [places.coldStart, code, 'new-tree']);
    assert.ok(!existsSync(places.coldStart), 'it is out of the way');
  }

  async function kept(t: Parameters<typeof Places.make>[0]): Promise<{ places: Places; bytes: Buffer }> {
    const places = await Places.make(t);
    places.source.putFiles(2);
    await places.publish(100);
    await rm(places.takeover);
    return { places, bytes: await readFile(places.coldStart) };
  }

  it('is refused wherever one bit differs', async (t) => {
    const { places, bytes } = await kept(t);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= 1 << (at % 8);
      await writeFile(places.coldStart, bytes);
      assert.equal(await places.find(), undefined, `byte ${at}`);
      bytes[at]! ^= 1 << (at % 8);
    }
    await writeFile(places.coldStart, bytes);
    assert.equal((await places.find())?.state.number, 1);
  });

  it('is refused at every length but its own', async (t) => {
    const { places, bytes } = await kept(t);
    for (let length = 0; length < bytes.length; length += length < 400 ? 1 : 37) {
      await writeFile(places.coldStart, bytes.subarray(0, length));
      await refused(places, 'truncated');
    }
    await writeFile(places.coldStart, Buffer.concat([bytes, Buffer.alloc(1)]));
    await refused(places, 'truncated');
  });

  it('is told apart: older, newer, of another mount, no state, not committed, a directory', async (t) => {
    const { places, bytes } = await kept(t);
    const put = async (at: number, ...values: readonly number[]): Promise<void> => {
      const changed = Buffer.from(bytes);
      changed.set(values, at);
      await writeFile(places.coldStart, changed);
    };
    await put(8, OLDEST_STATE_FORMAT - 1);
    await refused(places, 'older-format');
    await put(8, STATE_FORMAT + 1);
    await refused(places, 'newer-format');
    await put(16, 0x66);
    await refused(places, 'foreign');
    await put(0, 0x20);
    await refused(places, 'not-a-state');
    await put(256, ...new Array<number>(56).fill(0));
    await refused(places, 'uncommitted');
    await put(264, 1);
    await refused(places, 'checksum');
    await mkdir(`${places.coldStart}/within`, { recursive: true });
    await refused(places, 'unreadable');
  });

  it('is replaced by the other one, and both say which tree is shown', async (t) => {
    const places = await Places.make(t);
    places.source.putFiles(2);
    await places.publish(100);
    const good = await readFile(places.coldStart);
    for (const file of [places.takeover, places.coldStart]) {
      await writeFile(file, good.subarray(0, 100));
      assert.equal((await places.find())?.state.number, 1);
      const [line] = places.log.lines.splice(0);
      const fields = line?.fields ?? {};
      const other = file === places.takeover ? places.coldStart : places.takeover;
      assert.deepEqual([fields.file, fields.outcome, fields.other], [file, 'other-file', other]);
      assert.deepEqual(await readFile(file), good);
    }
  });
});
