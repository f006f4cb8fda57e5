import { setTimeout as delay } from 'node:timers/promises';
import { padded } from '../../e2e/fixture.ts';
import type { MemoryS3 } from '../memory-s3.ts';
import { linesIn, versionedFile } from '../versioned-file.ts';

/** Beyond --prefetch of these tests. */
const LARGE_BYTES = 300_000;
/** Between two changes, in milliseconds. */
const CHANGE_MS = 40;
const PREFIX = 'dags/';

/**
 * What test/support/readers/endure.py reads and checks, in a store: files that get new versions all the time, in
 * team_*; files that come and go, in coming/; files that are not prefetched, in large/. Knows what has to be seen in the end.
 */
export class ChangingTree {
  /** By path below the prefix. */
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

  /** Changes it until told to end. */
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
    // Half of the changes in a few directories, where readers come by more often.
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
