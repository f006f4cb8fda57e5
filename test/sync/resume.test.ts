import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContentState } from '../../src/sync/content-state.ts';
import type { Persister, TakeoverState } from '../../src/sync/ports.ts';
import type { Restored } from '../../src/sync/restored.ts';
import { generationBytes, restoreGeneration } from '../../src/tree/index.ts';
import { mtimes } from './doubles/trees.ts';
import { World } from './doubles/world.ts';

/** Keeps in memory what a disk would keep. */
class Memory implements Persister {
  #candidate: TakeoverState | undefined;
  restored: Restored | undefined;
  readonly troubles = [];

  async persist(state: TakeoverState): Promise<void> {
    this.#candidate = { ...state, removedDirectories: new Map(state.removedDirectories) };
  }

  acknowledged(): void {}

  async commit(instant: { readonly seconds: number }): Promise<void> {
    const { generation, problems, nextNodeId, removedDirectories, peaks, history } = this.#candidate!;
    this.restored = {
      generation: restoreGeneration(generationBytes(generation)),
      problems,
      nextNodeId,
      removedDirectories,
      replaced: [],
      peaks,
      history,
      publishedAt: instant.seconds * 1000,
      lastSecond: instant.seconds,
    };
  }
}

describe('a start from persisted state', () => {
  it('fetches what is missing only once it polls: until then the cache may evict nothing', async () => {
    const memory = new Memory();
    const before = new World({ persister: memory });
    before.source.putFiles(5);
    await before.start();
    await before.stop();

    const after = new World({}, memory.restored);
    for (const [key, object] of before.source.objects) after.source.objects.set(key, object);
    await after.clock.drive(after.sync.start(after.signal));
    await after.clock.settle();
    assert.deepEqual(after.cache.fetched, []);
    const running = after.sync.run(after.signal);
    await after.clock.drive(after.sync.ready);
    assert.equal(after.cache.fetched.length, 5);
    await after.stop();
    await running;
  });

  it('says which tree is shown before it resumes, if the session has taken it over', async () => {
    const memory = new Memory();
    const before = new World({ persister: memory });
    before.source.putFiles(5);
    await before.start();
    await before.stop();

    const restored = memory.restored!;
    assert.equal(new World({}, restored).sync.view.generation, undefined);
    const content = new ContentState(restored.generation.entries);
    const after = new World({}, { ...restored, content });
    after.source.listFails = 'unreachable';
    const { generation } = after.sync.view;
    assert.equal(generation?.id, restored.generation.id);
    assert.equal(after.presenter.publications.length, 0);
    await after.start();
    assert.deepEqual(after.sync.view.generation, generation);
    await after.stop();
  });

  it('shows the tree as it was, without the store', async () => {
    const memory = new Memory();
    const before = new World({ persister: memory });
    before.source.putFiles(20);
    await before.start();
    before.source.put('dags/file00003.py', 'changed');
    await before.clock.advance(11_000);
    await before.stop();

    const after = new World({}, memory.restored);
    after.source.listFails = 'unreachable';
    await after.start();
    const [{ generation, changes }] = after.presenter.publications as [
      (typeof after.presenter.publications)[0],
    ];
    const last = before.presenter.publications.at(-1)!.generation;
    assert.equal(changes, undefined);
    assert.equal(generation.id, last.id);
    assert.equal(generation.number, 2);
    assert.deepEqual(mtimes(generation), mtimes(last));
    assert.equal(after.sync.view.source.lastError?.code, 'unreachable');
    assert.equal(after.sync.view.history.length, 2);
    await after.stop();
  });

  it('looks at the store at once, and goes on where the process before it ended', async () => {
    const memory = new Memory();
    const before = new World({ persister: memory });
    before.source.putFiles(20);
    await before.start();
    await before.stop();

    const after = new World({ persister: memory }, memory.restored);
    for (const [path, object] of before.source.objects) after.source.objects.set(path, object);
    after.source.put('dags/new.py');
    await after.start();
    await after.clock.advance(2000);
    const [resumed, published] = after.presenter.publications;
    assert.equal(published?.generation.number, 2);
    assert.equal(published?.changes?.added.length, 1);
    const added = published!.generation.find('dags/new.py');
    const known = new Set<number>();
    for (let index = 0; index < resumed!.generation.entries; index++)
      known.add(resumed!.generation.nodeId(index));
    assert.ok(!known.has(published!.generation.nodeId(added)));
    assert.equal(
      published?.generation.nodeId(published.generation.find('dags/file00000.py')),
      resumed?.generation.nodeId(resumed.generation.find('dags/file00000.py')),
    );
    await after.stop();
  });

  it('holds a mass deletion against the trees of before the restart', async () => {
    const memory = new Memory();
    const before = new World({ persister: memory });
    before.source.putFiles(100);
    await before.start();
    before.source.deleteFiles(40);
    await before.clock.advance(11_000);
    await before.stop();
    assert.equal(memory.restored?.generation.files, 60);

    const after = new World({ persister: memory }, memory.restored);
    after.source.putFiles(45);
    await after.start();
    await after.clock.advance(2000);
    assert.equal(after.sync.view.held?.files, 45);
    await after.stop();
  });
});
