import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';
import { histories, writeContents } from './operations.ts';
import { playHistory } from './play-history.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const seed = process.env.DAGMOUNT_TEST_SEED;

describe('whatever three deployers and a collector do at once, killed anywhere and with answers lost,', () => {
  test('each ref is a release that somebody meant, and the log has each of its moves once, in order', async () => {
    const file = writeContents(join(directory, 'contents'));
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), histories, async (scheduler, history) => {
        const store = new MemoryReleaseStore();
        const turn = scheduler.scheduleFunction(async () => undefined);
        store.gate = () => turn();
        await scheduler.waitFor(playHistory(history, store, file));
      }),
      { numRuns: 150, ...(seed !== undefined && { seed: Number(seed) }) },
    );
  });
});
