import { setTimeout as delay } from 'node:timers/promises';
import { padded } from '../../e2e/fixture.ts';
import type { MemoryS3 } from '../memory-s3.ts';
import { linesIn, versionedFile } from '../versioned-file.ts';

/** Larger than --prefetch of these tests. */
const LARGE_BYTES = 300_000;
/** Milliseconds between two changes. */
const CHANGE_MS = 40;
const PREFIX = 'dags/';

/**
 * The files that test/support/readers/endure.py reads and checks: those in team_* get new versions all the time, those
 * in coming/ come and go, those in large/ are not prefetched. Knows what the mount must show in the end.
 */
export class ChangingTree {
  /** Content by path below the prefix. */
  readonly objects = new Map<string, string>();
  readonly #store: MemoryS3;
  readonly #paths: readonly string[];
  readonly #onlyAdds: boolean;
  #version = 0;

  constructor(store: MemoryS3, files: number, large: number, onlyAdds = false) {
    this.#store = store;
    this.#onlyAdds = onlyAdds;
    this.#paths = Array.from(
      { length: files },
      (_, index) => `team_${padded(Math.floor(index / 100), 3)}/dag_${padded(index, 5)}.py`,
    );
    for (const [index, path] of this.#paths.entries())
      this.#put(path, versionedFile(path, 0, linesOf(index, 0)));
    for (let index = 0; index < large; index++) this.#putLarge(index);
    this.#put('coming/first.py', versionedFile('coming/first.py', 0, 4));
  }

  /** Changes the tree until the signal. */
  async change(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      this.changeOnce();
      await delay(CHANGE_MS);
    }
  }

  changeOnce(): void {
    const version = ++this.#version;
    if (this.#onlyAdds) {
      const added = `team_${padded(version % 7, 3)}/added_${padded(version, 5)}.py`;
      this.#put(added, versionedFile(added, version, 4));
      return;
    }
    // Makes half of the changes in a few directories, which the readers visit more often.
    const index =
      (version * 7919) % (version % 2 === 0 ? this.#paths.length : Math.min(500, this.#paths.length));
    const path = this.#paths[index] as string;
    this.#put(path, versionedFile(path, version, linesOf(index, version)));
    const coming = `coming/name_${padded((version / 15) % 20, 2)}.py`;
    if (version % 15 !== 0) return;
    if (this.objects.has(coming)) this.#delete(coming);
    else this.#put(coming, versionedFile(coming, version, 5));
  }

  #putLarge(index: number): void {
    const path = `large/large_${padded(index, 4)}.py`;
    this.#put(path, versionedFile(path, 0, linesIn(path, LARGE_BYTES)));
  }

  #put(path: string, body: string): void {
    this.objects.set(path, body);
    this.#store.put(PREFIX + path, body);
  }

  #delete(path: string): void {
    this.objects.delete(path);
    this.#store.delete(PREFIX + path);
  }
}

function linesOf(index: number, version: number): number {
  return (index % 20 === 0 ? 100 : 4) + ((version * 37) % 10);
}
