// How large a generation is and how long its life takes: `node dist/bench/tree.js [files...]`.
//
// On 2 cores of a virtual machine, Node 20.20, medians:
//
// | files | bytes an entry | build | unsorted | rebuild (1 %) | 3 patterns | diff | digest | restore | lookup | indexOfNode |
// | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
// | 1,000 | 100.1 | 6.7 ms | 12 ms | 2.4 ms | 14 ms | 0.3 ms | 0.1 ms | 0.6 ms | 190 ns | 75 ns |
// | 100,000 | 100.0 | 200 ms | 260 ms | 136 ms | 510 ms | 10 ms | 5 ms | 13 ms | 160 ns | 244 ns |
// | 1,000,000 | 100.0 | 2.4 s | 3.0 s | 1.6 s | 6.2 s | 89 ms | 53 ms | 178 ms | 510 ns | 510 ns |
import { buildGeneration } from '../src/tree/build.ts';
import { diffGenerations } from '../src/tree/diff.ts';
import { digestListing } from '../src/tree/digest.ts';
import { PathFilter } from '../src/tree/filter.ts';
import { Generation } from '../src/tree/generation.ts';
import type { ListedObjects } from '../src/tree/listing.ts';
import { generationBytes, restoreGeneration } from '../src/tree/persist.ts';

const SALT = 0x0123456789abcdefn;
const NOW = 1_800_000_000_000;
const FILES_IN_A_DIRECTORY = 100;

/** Keys as of many teams' DAGs, in byte order, with MD5 ETags; each `changedEvery`-th with another ETag. */
function listing(count: number, changedEvery: number): ListedObjects {
  const keys = Buffer.alloc(count * 64);
  const keyEnds = new Uint32Array(count);
  const etags = Buffer.alloc(count * 32);
  const etagEnds = new Uint32Array(count);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const team = String(Math.floor(i / FILES_IN_A_DIRECTORY)).padStart(6, '0');
    const file = String(i % FILES_IN_A_DIRECTORY).padStart(3, '0');
    used += keys.write(`dags/team_${team}/pipeline_${file}.py`, used, 'latin1');
    keyEnds[i] = used;
    const seed = changedEvery !== 0 && i % changedEvery === 0 ? 0x9e3779b1 : 0x85ebca77;
    etags.write(((Math.imul(i, seed) >>> 0) + 2 ** 32).toString(16).padStart(32, 'a'), i * 32, 'latin1');
    etagEnds[i] = 32 * (i + 1);
  }
  return {
    count,
    keys: keys.subarray(0, used),
    keyEnds,
    etags,
    etagEnds,
    sizes: new Float64Array(count).fill(4096),
    lastModified: new Float64Array(count).fill(NOW - 1e9),
    archived: new Uint8Array(count),
  };
}

/** The same objects in reverse order. */
function reversed(objects: ListedObjects): ListedObjects {
  const { count, keys, keyEnds } = objects;
  const turned = Buffer.alloc(keys.length);
  const ends = new Uint32Array(count);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const from = count - 1 - i;
    const key = keys.subarray(keyEnds[from - 1] ?? 0, keyEnds[from]);
    turned.set(key, used);
    used += key.length;
    ends[i] = used;
  }
  return { ...objects, keys: turned, keyEnds: ends };
}

/** The median of several runs, in milliseconds. */
function time(run: () => unknown, runs: number): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)]!;
}

/** Nanoseconds a call of `lookup` by path component, over all files in a scattered order. */
function lookups(generation: Generation, rounds: number): number {
  const teams = generation.lookup(0, Buffer.from('dags'));
  const first = generation.childrenStart(teams);
  const directories = generation.childrenEnd(teams) - first;
  const names = Array.from({ length: FILES_IN_A_DIRECTORY }, (_, i) =>
    Buffer.from(`pipeline_${String(i).padStart(3, '0')}.py`),
  );
  let found = 0;
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    const directory = first + ((i * 7919) % directories);
    found += generation.lookup(directory, names[i % names.length]!) === -1 ? 0 : 1;
  }
  if (found !== rounds) throw new Error(`${rounds - found} lookups failed`);
  return ((performance.now() - start) * 1e6) / rounds;
}

/** Nanoseconds a call of `indexOfNode`, in a scattered order. */
function nodeLookups(generation: Generation, rounds: number): number {
  const { entries } = generation;
  let found = 0;
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    const id = 1 + ((i * 7919) % entries);
    found += generation.indexOfNode(id) === -1 ? 0 : 1;
  }
  if (found !== rounds) throw new Error(`${rounds - found} node ids were not found`);
  return ((performance.now() - start) * 1e6) / rounds;
}

function measure(count: number): readonly string[] {
  const input = {
    filter: PathFilter.compile({ include: [], exclude: [] }),
    removedDirectories: new Map<string, number>(),
    salt: SALT,
    now: NOW,
  };
  const filtered = {
    filter: PathFilter.compile({ include: ['*.py', 'plugins/'], exclude: ['__pycache__/'] }),
  };
  const runs = count >= 1_000_000 ? 3 : 7;
  const before = listing(count, 0);
  const after = listing(count, 100);
  const turned = reversed(before);
  const build = () => buildGeneration({ ...input, objects: before, previous: undefined, nextNodeId: 2 });
  const { generation, nextNodeId } = build();
  const rebuild = () => buildGeneration({ ...input, objects: after, previous: generation, nextNodeId });
  const next = rebuild().generation;
  const encoded = generationBytes(next);
  const ms = (run: () => unknown): string => time(run, runs).toFixed(1);
  return [
    count.toLocaleString('en'),
    (generation.buffer.byteLength / generation.entries).toFixed(1),
    ms(build),
    ms(() => buildGeneration({ ...input, objects: turned, previous: undefined, nextNodeId: 2 })),
    ms(rebuild),
    ms(() => buildGeneration({ ...input, ...filtered, objects: before, previous: undefined, nextNodeId: 2 })),
    ms(() => diffGenerations(generation, next)),
    ms(() => digestListing(before)),
    ms(() => restoreGeneration(encoded)),
    time(() => Generation.view(next.buffer), 101).toFixed(3),
    lookups(next, 1_000_000).toFixed(0),
    nodeLookups(generation, 1_000_000).toFixed(0),
  ];
}

const sizes = process.argv.slice(2).map(Number);
const header = [
  'files',
  'bytes an entry',
  'build, ms',
  'unsorted, ms',
  'rebuild (1 % changed), ms',
  'with 3 patterns, ms',
  'diff, ms',
  'digest, ms',
  'restore, ms',
  'view, ms',
  'lookup, ns',
  'indexOfNode, ns',
];
console.log(`| ${header.join(' | ')} |`);
console.log(`|${' --: |'.repeat(header.length)}`);
for (const count of sizes.length > 0 ? sizes : [1_000, 100_000, 1_000_000]) {
  console.log(`| ${measure(count).join(' | ')} |`);
}
