import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { padded, type Store } from '../e2e/fixture.ts';
import { longestByCall, type Outlived } from '../support/outlive/pauses.ts';
import type { Reader } from '../support/reader.ts';
import { versionedFile } from '../support/versioned-file.ts';

export const paths = Array.from(
  { length: 100 },
  (_, index) => `team_${index % 10}/dag_${padded(index, 4)}.py`,
);

export function body(path: string, version: number): string {
  return versionedFile(path, version, 40 + ((version * 37) % 50));
}

/** Changes one file after the other until the signal. */
export async function change(store: Store, until: AbortSignal): Promise<void> {
  for (let version = 1; !until.aborted; version += 1) {
    const path = paths[(version * 7) % paths.length] as string;
    await store.put(`dags/${path}`, body(path, version));
    await delay(45);
  }
}

/** Ends readers of endure.py; they must have noticed nothing. */
export async function outlived(t: TestContext, readers: readonly Reader[]): Promise<void> {
  for (const reader of readers) reader.end();
  const results = await Promise.all(
    readers.map(async (reader) => {
      const { code, stdout, stderr } = await reader.done;
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as Outlived;
    }),
  );
  const operations = results.flatMap((each) => Object.values(each.operations)).reduce((a, b) => a + b, 0);
  t.diagnostic(`${operations} operations; longest of each kind, ms: ${longestByCall(results)}`);
  assert.deepEqual(
    results.flatMap(({ problems }) => problems),
    [],
  );
  assert.ok(results.every(({ operations }) => (operations.list ?? 0) > 0));
}
