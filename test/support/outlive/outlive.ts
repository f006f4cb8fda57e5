import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { raisePriority } from '../../../src/host/process-priority.ts';
import { MemoryS3 } from '../memory-s3.ts';
import { type LogLine, type Mount, startMount } from '../mount.ts';
import { StoreProxy } from '../proxy.ts';
import { read, startPython } from '../reader.ts';
import { serverOf, supervisor } from '../supervised.ts';
import { defer, temporaryDirectory } from '../temporary.ts';
import { waitFor } from '../wait-for.ts';
import { writeTree } from '../write-tree.ts';
import { ChangingTree } from './changing-tree.ts';
import {
  distribution,
  longestByCall,
  longestByMoments,
  monotonicNow,
  type Outlived,
  pausesIn,
  type Span,
  spansBetween,
} from './pauses.ts';

export interface Outliving {
  readonly mount: Mount;
  readonly store: MemoryS3;
  readonly proxy: StoreProxy;
}

export interface OutliveOptions {
  readonly takeover: 'resend' | 'journal';
  readonly files: number;
  readonly large: number;
  readonly readers: number;
  /** The number of servers that end. */
  readonly times: number;
  /** Whether servers end by themselves: a server may then end before the test has seen it. */
  readonly endsByItself?: boolean;
  /** Ends the server. */
  readonly fault?: (server: number, outliving: Outliving) => void | Promise<void>;
  /** The longest pause before the next end, in milliseconds; the shortest is 0. */
  readonly apart: number;
  /** Milliseconds before the first end. The test reports the longest call in this time too, for comparison. */
  readonly calm?: number;
  /** A second fault, from before the first end until the test calls the function with which this resolves. */
  readonly besides?: (outliving: Outliving) => Promise<() => Promise<void> | void>;
  /** Whether the tree only gains names: without a place to keep replaced content, readers could not read it. */
  readonly onlyAdds?: boolean;
  /** Whether to wait for a publication, so that the server ends while it tells the kernel of it. */
  readonly whilePublishing?: (time: number) => boolean;
  /** Whether the next server may end before it has logged that it took over. */
  readonly atOnce?: (time: number) => boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly cacheDirectory?: string;
  /** The command's entry; by default the build of this repository. */
  readonly cli?: string;
  readonly deadlineMs?: number;
  /** Whether other tests run at the same time: then this does not drop the kernel's caches, which all of them share. */
  readonly isBesideOthers?: boolean;
}

/** The results. */
export interface OutlivedAll {
  readonly mount: Mount;
  /** For each takeover, its line in the log. */
  readonly takeovers: readonly LogLine[];
  /** The longest call at each fault, in milliseconds. */
  readonly pauses: readonly number[];
}

/** Milliseconds before each answer of the store: so long that a read nearly always waits for one. */
const STORE_LATENCY_MS = 60;

/**
 * Ends one server after another under readers, while the tree changes. Shows that no reader got an error, hung, or read
 * anything wrong, and that in the end the kernel has nothing of an old tree.
 */
export async function outlive(t: TestContext, options: OutliveOptions): Promise<OutlivedAll> {
  const { takeover, times, apart, deadlineMs = 1_700_000 } = options;
  const drop = options.isBesideOthers ? () => undefined : dropCaches;
  const outliving = await begin(t, options);
  const { mount, proxy, tree } = outliving;
  const taken = (): readonly LogLine[] => mount.log().filter(({ event }) => event === 'taken-over');
  const seen = <T>(what: string, ask: () => T | undefined | false): Promise<T> =>
    waitFor(what, ask).catch((error: unknown) => {
      throw new Error(mount.stderr().slice(-3_000), { cause: error });
    });
  const readers = Array.from({ length: options.readers }, (_, index) =>
    startPython('endure.py', [mount.target, String(index)], { stdin: 'pipe', deadlineMs }),
  );
  // In production the store is on another host, and the readers do not take the CPU from it.
  const restorePriority = raisePriority(getPriority());
  defer(t, restorePriority);
  const over = new AbortController();
  // Needed if the test fails: the changes would continue, and keep this process alive.
  defer(t, () => over.abort());
  const hint = await options.besides?.(outliving);
  const changing = tree.change(over.signal);
  const calm = await calmTime(options.calm ?? 0);
  const moments: number[] = [];
  const ended = new Set<number>();
  for (let time = 0; time < times; time++) {
    await delay(Math.random() * apart);
    if (time % 8 === 3) drop();
    if (options.whilePublishing?.(time)) {
      await publication(mount);
      await delay(Math.random() * 5);
    }
    if (options.endsByItself) {
      moments.push(monotonicNow());
      await seen(`takeover ${time + 1}`, () => taken().length > time);
      continue;
    }
    const server = await seen('a server', () => serverOf(mount.pid));
    const before = taken().length;
    moments.push(monotonicNow());
    ended.add(server);
    if (options.fault === undefined) process.kill(server, 'SIGKILL');
    else await options.fault(server, outliving);
    await seen('its end', () => serverOf(mount.pid) !== server);
    if (options.atOnce?.(time)) continue;
    await seen(`takeover ${time + 1}`, () => taken().length > before);
  }
  await delay(500);
  const until = monotonicNow();
  over.abort();
  await changing;
  await hint?.();
  proxy.latency = 0;
  await showsAtLast(t, mount, tree, drop);
  for (const reader of readers) reader.end();
  const results = await Promise.all(
    readers.map(async (reader) => {
      const reading = await reader.done;
      assert.equal(reading.code, 0, `${reading.signal} ${reading.stderr} ${troubles(mount)}`);
      return JSON.parse(reading.stdout) as Outlived;
    }),
  );
  const pauses = pausesIn(spansBetween([...moments, until]), results);
  if (options.calm !== undefined) {
    t.diagnostic(`longest call in ${options.calm} ms without an end: ${pausesIn([calm], results)[0]} ms`);
  }
  const handOvers = pausesIn(takeoverSpans(mount), results);
  t.diagnostic(`longest call under way while each successor takes over, ms: ${distribution(handOvers)}`);
  t.diagnostic(`longest call by the ends that it outlasted, ms: ${longestByMoments(moments, results)}`);
  tell(t, results, pauses, taken());
  t.diagnostic(`${lastNumber(mount)} publications`);
  assert.deepEqual(
    results.flatMap(({ problems }) => problems),
    [],
    troubles(mount),
  );
  assert.ok(taken().every(({ resends }) => resends === (takeover === 'resend')));
  assert.ok(
    taken().every(({ failed }) => failed === 0),
    'no notification was refused',
  );
  assert.ok(results.every(({ operations }) => (operations.list ?? 0) > 0));
  assert.equal(options.endsByItself ? taken().length : ended.size, times);
  return { mount, takeovers: taken(), pauses };
}

async function begin(
  t: TestContext,
  options: OutliveOptions,
): Promise<Outliving & { readonly tree: ChangingTree }> {
  const store = await MemoryS3.start();
  defer(t, () => store.close());
  const tree = new ChangingTree(store, options.files, options.large, options.onlyAdds);
  const proxy = await StoreProxy.start({ upstream: store.endpoint });
  defer(t, () => proxy.close());
  const mount = await startMount(t, {
    source: 's3://memory/dags',
    wrapper: [supervisor],
    standby: true,
    ...(options.takeover !== undefined && { session: { resend: options.takeover === 'resend' } }),
    ...(options.cacheDirectory !== undefined && { cacheDirectory: options.cacheDirectory }),
    ...(options.cli !== undefined && { cli: options.cli }),
    env: {
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      ...options.env,
    },
    args: [
      ...['--endpoint-url', proxy.endpoint, '--poll-interval', '1s', '--settle', '0'],
      // The daemon fetches larger files when they are read; those that do not fit into the cache, again and again.
      ...['--prefetch', '64KiB', '--cache-size', '24MiB'],
      ...(options.args ?? []),
    ],
    deadlineMs: 120_000,
  });
  proxy.latency = STORE_LATENCY_MS;
  return { mount, store, proxy, tree };
}

/** Opens, lists and compares each file with the last stored content: first from the kernel's cache, then without it. */
async function showsAtLast(
  t: TestContext,
  mount: Mount,
  tree: ChangingTree,
  drop: () => void,
): Promise<void> {
  const expected = join(await temporaryDirectory(t), 'expected');
  writeTree(expected, tree.objects);
  const compare = (): Promise<string> =>
    read('sh', ['-c', 'diff -r "$0" "$1" 2>&1 | head -20', expected, mount.target], { deadlineMs: 300_000 });
  await waitFor('the last tree', async () => (await compare()) === '', 120_000, 500).catch(
    async (error: unknown) => {
      throw new Error(`the last tree is not shown: ${await compare()}`, { cause: error });
    },
  );
  const survey = (): Promise<string> =>
    read('sh', ['-c', 'cd "$0" && find . -printf "%p %y %s %T@ %n\\n" | sort', mount.target], {
      deadlineMs: 300_000,
    });
  const warm = await survey();
  drop();
  assert.equal(
    await survey(),
    warm,
    'names and attributes that the kernel had are those that it is told again',
  );
  assert.equal(await compare(), '');
}

/** The start and the end of the pause. */
async function calmTime(ms: number): Promise<Span> {
  const from = monotonicNow();
  await delay(ms);
  return [from, monotonicNow()];
}

/**
 * The time from each server's end, or from its stop for a hand-over, until its successor serves. Soon after that the
 * successor logs `restored`; it logs `taken-over` only when everything else that it needs is there.
 */
function takeoverSpans(mount: Mount): readonly Span[] {
  const spans: Span[] = [];
  const now = monotonicNow() - Date.now() / 1_000;
  let until = 0;
  for (const { event, time, ms } of mount.log()) {
    if (event === 'restored') until = now + Date.parse(String(time)) / 1_000;
    if (event === 'taken-over') spans.push([until - Number(ms) / 1_000, until]);
  }
  return spans;
}

/** Resolves when the server is about to tell the kernel of a publication; meanwhile it keeps the old tree. */
async function publication(mount: Mount): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  for await (const { filename } of watch(runtimeDirectoryOf(mount), { signal })) {
    if (filename === 'takeover.previous') return;
  }
}

/** The number of the last tree that a server restored or published; the first is 1. */
function lastNumber(mount: Mount): number {
  return Math.max(...mount.log().map(({ number }) => Number(number ?? 0)));
}

/**
 * Drops the caches of all file systems of the host, so only if no other test runs: some tests count the kernel's
 * requests. Only root may do this; for other users this does nothing.
 */
function dropCaches(): void {
  if (process.env.DAGMOUNT_TEST_ALONE === undefined || process.getuid?.() !== 0) return;
  writeFileSync('/proc/sys/vm/drop_caches', Math.random() < 0.5 ? '2' : '3');
}

function runtimeDirectoryOf(mount: Mount): string {
  return mount.socket().replace(/\.sock$/, '');
}

/** Warnings and errors of the servers, except those about their ends. */
function troubles(mount: Mount): string {
  const lines = mount.log().filter(({ level, event }) => level !== 'info' && event !== 'taken-over');
  return JSON.stringify(lines.slice(-20));
}

function tell(
  t: TestContext,
  results: readonly Outlived[],
  pauses: readonly number[],
  taken: readonly LogLine[],
): void {
  const total = new Map<string, number>();
  for (const { operations } of results) {
    for (const [kind, count] of Object.entries(operations)) total.set(kind, (total.get(kind) ?? 0) + count);
  }
  t.diagnostic([...total].map(([kind, count]) => `${kind} ${count}`).join(', '));
  t.diagnostic(`longest call at each end, ms: ${distribution(pauses)}`);
  t.diagnostic(`longest of each kind, ms: ${longestByCall(results)}`);
  t.diagnostic(`until a successor serves, ms: ${distribution(taken.map(({ ms }) => Number(ms)))}`);
  const some = (field: string): number => taken.filter((line) => Number(line[field]) > 0).length;
  t.diagnostic(
    `${taken.length} takeovers, ${some('unanswered')} found requests unanswered, ${some('owed')} owed notifications`,
  );
}
