import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built } from '../../src/source/source.ts';
import { openState } from '../../src/state/open-state.ts';
import { openTakeover } from '../../src/state/open-takeover.ts';
import { StateStore } from '../../src/state/state-store.ts';
import { ChangeLog } from '../../src/sync/change-log.ts';
import type { TakeoverState } from '../../src/sync/ports.ts';
import { setPublishTime } from '../../src/tree/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { FakeSource } from '../sync/doubles/fake-source.ts';
import { treeOf } from '../sync/doubles/trees.ts';

export const identity = { mountId: '0123456789ab', filters: 'all', writtenBy: '0.0.0' };

/** The two directories of a mount, and the publications that are kept in them. */
export class Places {
  readonly runtimeDirectory: string;
  readonly cacheDirectory: string;
  readonly log = new RecordingLog();
  readonly source = new FakeSource(() => Date.UTC(2026, 0, 1));
  readonly store: StateStore;
  #last: Built | undefined;
  #number = 0;

  private constructor(directory: string) {
    this.runtimeDirectory = join(directory, 'run');
    this.cacheDirectory = join(directory, 'cache');
    this.store = this.#open();
  }

  static async make(t: Cleanup): Promise<Places> {
    const places = new Places(await temporaryDirectory(t));
    await mkdir(places.runtimeDirectory);
    await mkdir(places.cacheDirectory);
    t.after(() => places.store.close({ unmounted: false }));
    return places;
  }

  get takeover(): string {
    return join(this.runtimeDirectory, 'takeover');
  }

  get coldStart(): string {
    return join(this.cacheDirectory, 'generation');
  }

  /** The state to keep for the source as it is now. */
  async state(): Promise<TakeoverState> {
    const built = await treeOf(this.source, this.#last);
    this.#last = built;
    this.#number += 1;
    const { generation, changes, problems, nextNodeId } = built;
    const number = this.#number;
    return {
      number,
      nextNodeId,
      peaks: [{ files: generation.files, until: null }],
      history: [{ id: generation.id, number, publishedAt: 5, files: 1, added: 0, changed: 0, removed: 0 }],
      changeLog: ChangeLog.empty,
      generation,
      changes,
      digest: 'a digest',
      removedDirectories: new Map([['gone/äöü', 77]]),
      replaced: [
        {
          nodeId: 3,
          directory: false,
          archived: false,
          executable: true,
          parentId: 2,
          path: 'dags/old.py',
          version: { name: 'f'.repeat(32), path: 'dags/old.py', etag: 'e', size: 3 },
          lastModified: 1_600_000_000,
          mtime: { seconds: 1, nanoseconds: 2 },
        },
        {
          nodeId: 4,
          directory: true,
          archived: false,
          executable: false,
          parentId: 1,
          path: 'gone',
          version: undefined,
          lastModified: 0,
          mtime: undefined,
        },
      ],
      problems,
    };
  }

  /** Makes one publication, as the pipeline does. */
  async publish(seconds: number, acknowledged = true): Promise<TakeoverState> {
    const state = await this.state();
    await this.store.persist(state);
    const instant = { seconds, nanoseconds: 123_456_789 };
    setPublishTime(state.generation, state.changes, instant, state.number);
    await this.store.commit(instant);
    if (acknowledged) this.store.acknowledged();
    return state;
  }

  find(mountId = identity.mountId) {
    const { runtimeDirectory, cacheDirectory, log } = this;
    return openState({ runtimeDirectory, cacheDirectory, mountId, log });
  }

  /** What a successor on the same connection finds; undefined if it must make a new mount. */
  takeOver() {
    const { runtimeDirectory, cacheDirectory, log } = this;
    return openTakeover({ runtimeDirectory, cacheDirectory, mountId: identity.mountId, log });
  }

  #open(): StateStore {
    const { runtimeDirectory, cacheDirectory, log } = this;
    return new StateStore({
      runtimeDirectory,
      cacheDirectory,
      identity,
      inCache: true,
      // Time stands still, so a publication waits until the disk has it, on a busy host, too.
      clock: new FakeClock(),
      log,
    });
  }
}
