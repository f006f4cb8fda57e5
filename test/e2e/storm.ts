import { setTimeout as delay } from 'node:timers/promises';
import type { Mount } from '../support/mount.ts';
import { type Reader, startPython } from '../support/reader.ts';
import { versionedFile } from '../support/versioned-file.ts';
import type { Store } from './fixture.ts';
import { padded } from './fixture.ts';

/** Content in the form that storm.py checks. */
export function stormBody(path: string, version: number, many: boolean): string {
  const count = (many ? 4_000 : 60) + ((version * 37) % 50);
  return versionedFile(path, version, count);
}

/** 200 files; every twentieth has some 250 KiB. */
export const stormPaths = Array.from(
  { length: 200 },
  (_, index) => `team_${padded(index % 10, 2)}/dag_${padded(index, 4)}.py`,
);

export function stormObjects(): Map<string, string> {
  return new Map(stormPaths.map((path, index) => [path, stormBody(path, 0, index % 20 === 0)]));
}

export interface StormResult {
  readonly passes: number;
  readonly files: number;
  readonly versions: number;
  readonly problems: readonly string[];
}

export function startStormReaders(mount: Mount, count: number, deadlineMs: number): readonly Reader[] {
  return Array.from({ length: count }, () =>
    startPython('storm.py', [mount.tree], { stdin: 'pipe', deadlineMs }),
  );
}

/** Puts 20 new versions a second for so many seconds; returns their number. */
export async function changeObjects(store: Store, seconds: number): Promise<number> {
  const end = Date.now() + seconds * 1000;
  let changes = 0;
  while (Date.now() < end) {
    const index = (changes * 7) % stormPaths.length;
    const path = stormPaths[index] as string;
    await store.put(`dags/${path}`, stormBody(path, changes + 1, index % 20 === 0));
    changes += 1;
    await delay(45);
  }
  return changes;
}
