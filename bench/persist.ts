// How long it takes to keep a published tree and to read it back, and how long the main thread's loop stands still
// meanwhile: `node dist/bench/persist.js [files...]`. The runtime directory lies in /dev/shm, the cache directory in
// the system's temporary directory.
//
// On 2 cores of a virtual machine that ran other work at a load of 14 to 36, Node 20.20, so upper bounds:
//
// | files | persist | commit | longest block | load both |
// | --: | --: | --: | --: | --: |
// | 100,000 | 80 to 190 ms | 24 to 29 ms | 31 to 48 ms | 100 to 245 ms |
// | 1,000,000 | 1.5 to 1.7 s | 54 to 62 ms | 72 to 115 ms | 2.8 to 3.3 s |
//
// Processor time for 100,000: 27 to 38 ms to persist, 39 to 64 ms to load one.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState } from '../src/state/open-state.ts';
import { StateStore } from '../src/state/state-store.ts';
import { ChangeLog } from '../src/sync/change-log.ts';
import { systemClock } from '../src/sync/system-clock.ts';
import { buildGeneration, type ListedObjects, PathFilter } from '../src/tree/index.ts';

const RUNS = 5;
const quiet = { debug: nothing, info: nothing, warn: console.error, error: console.error };

function nothing(): void {}

/** Keys as of many teams' DAGs, in byte order, with MD5 ETags. */
function listing(count: number, changedEvery: number): ListedObjects {
  const keys = Buffer.alloc(count * 64);
  const etags = Buffer.alloc(count * 32);
  const keyEnds = new Uint32Array(count);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const team = String(Math.floor(i / 100)).padStart(6, '0');
    used += keys.write(`dags/team_${team}/pipeline_${String(i % 100).padStart(3, '0')}.py`, used, 'latin1');
    keyEnds[i] = used;
    const etag = changedEvery !== 0 && i % changedEvery === 0 ? i + count : i;
    etags.write(etag.toString(16).padStart(32, 'a'), i * 32, 'latin1');
  }
  return {
    count,
    keys: keys.subarray(0, used),
    keyEnds,
    etags,
    etagEnds: Uint32Array.from({ length: count }, (_, i) => 32 * (i + 1)),
    sizes: new Float64Array(count).fill(4096),
    lastModified: new Float64Array(count).fill(1.7e12),
    archived: new Uint8Array(count),
  };
}

/** How long the loop stood still at most while the work ran, milliseconds. */
async function longestBlock(work: () => Promise<unknown>): Promise<{ took: number; block: number }> {
  let block = 0;
  let last = performance.now();
  let running = true;
  const look = (): void => {
    const now = performance.now();
    block = Math.max(block, now - last);
    last = now;
    if (running) setImmediate(look);
  };
  setImmediate(look);
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  look();
  running = false;
  return { took, block };
}

function median(values: readonly number[]): string {
  return (values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number).toFixed(1);
}

async function measure(count: number): Promise<readonly string[]> {
  const input = { filter: PathFilter.compile({ include: [], exclude: [] }), salt: 7n, now: 1.8e12 };
  const first = buildGeneration({
    ...input,
    objects: listing(count, 0),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
  });
  const built = buildGeneration({
    ...input,
    objects: listing(count, 100),
    previous: first.generation,
    removedDirectories: new Map(),
    nextNodeId: first.nextNodeId,
  });
  const directory = await mkdtemp(join(tmpdir(), 'dagmount-bench-'));
  const runtimeDirectory = await mkdtemp('/dev/shm/dagmount-bench-');
  const cacheDirectory = join(directory, 'cache');
  await mkdir(cacheDirectory);
  const places = { runtimeDirectory, cacheDirectory, log: quiet };
  const identity = { mountId: '0123456789ab', filters: '', writtenBy: '' };
  const store = new StateStore({ ...places, identity, inCache: true, clock: systemClock });
  const figures = { persist: [], commit: [], load: [], block: [], loadBlock: [] } as Record<string, number[]>;
  try {
    for (let run = 0; run < RUNS; run++) {
      const state = {
        number: run + 1,
        peaks: [],
        history: [],
        changeLog: ChangeLog.empty,
        digest: undefined,
        removedDirectories: new Map<string, number>(),
        replaced: [],
        ...built,
      };
      const persisted = await longestBlock(() => store.persist(state));
      const committed = await longestBlock(() => store.commit({ seconds: run, nanoseconds: 0 }));
      store.acknowledged();
      const loaded = await longestBlock(() => openState({ ...places, mountId: identity.mountId }));
      figures.persist?.push(persisted.took);
      figures.commit?.push(committed.took);
      figures.load?.push(loaded.took);
      figures.block?.push(Math.max(persisted.block, committed.block));
      figures.loadBlock?.push(loaded.block);
    }
  } finally {
    await store.close({ unmounted: true });
    await rm(directory, { recursive: true });
    await rm(runtimeDirectory, { recursive: true, force: true });
  }
  const { persist = [], commit = [], load = [], block = [], loadBlock = [] } = figures;
  const worst = Math.max(...block).toFixed(1);
  return [
    count.toLocaleString('en'),
    median(persist),
    median(commit),
    worst,
    median(load),
    median(loadBlock),
  ];
}

const sizes = process.argv.slice(2).map(Number);
console.log('| files | persist, ms | commit, ms | longest block, ms | load both, ms | its block, ms |');
console.log('| --: | --: | --: | --: | --: | --: |');
for (const count of sizes.length === 0 ? [1_000, 100_000, 1_000_000] : sizes) {
  console.log(`| ${(await measure(count)).join(' | ')} |`);
}
