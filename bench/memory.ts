import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serveManyObjects } from '../test/support/many-objects.ts';
import { launchMount } from '../test/support/mount.ts';
import { descendants } from '../test/support/processes.ts';
import { type Cleanup, defer } from '../test/support/temporary.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * The memory of one idle mount, everything local: `node dist/bench/memory.js [--objects 10000] [--bytes 4096]
 * [--idle 40] [--node PROGRAM]`, with a standby and without. Prints the proportional set size (PSS) of each process in
 * MiB, by what is mapped: `anonymous` is the heaps of JavaScript, of the allocator, and stacks; `program` is Node.js
 * itself; `shared` is trees and other memory of several threads. A variable in the environment, NODE_OPTIONS for
 * instance, is passed on to the mount.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    /** Seconds between "ready", with the standby there, and the look. */
    idle: { type: 'string', default: '40' },
    node: { type: 'string', default: process.execPath },
  },
});

const PARTS = ['anonymous', 'program', 'shared', 'other files'] as const;
type Part = (typeof PARTS)[number];

/** Kilobytes. */
type Parts = Record<Part, number>;

function partOf(path: string, program: string): Part {
  if (path === '' || path.startsWith('[')) return 'anonymous';
  if (path === program) return 'program';
  return path.startsWith('/dev/zero') || path.startsWith('/memfd:') ? 'shared' : 'other files';
}

function partsOf(pid: number): Parts {
  const parts: Parts = { anonymous: 0, program: 0, shared: 0, 'other files': 0 };
  const programs = new Set<string>();
  let part: Part = 'anonymous';
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)$/.exec(line);
    if (mapping !== null) {
      const path = mapping[1] ?? '';
      // The program is mapped first.
      if (programs.size === 0) programs.add(path);
      part = partOf(path, [...programs][0] ?? '');
    }
    parts[part] += Number(/^Pss:\s+(\d+) kB$/.exec(line)?.[1] ?? 0);
  }
  return parts;
}

const nameOf = (pid: number): string => {
  const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
  return title.startsWith('dagmount-') ? title : basename(title.split(' ')[0] ?? '');
};

function row(name: string, parts: Parts): string {
  const total = PARTS.reduce((sum, part) => sum + parts[part], 0);
  const cells = [total, ...PARTS.map((part) => parts[part])].map((kilobytes) =>
    (kilobytes / 1024).toFixed(1).padStart(13),
  );
  return `${name.padEnd(22)}${cells.join('')}`;
}

async function once(context: Cleanup, endpoint: string, standby: boolean): Promise<void> {
  const mount = await launchMount(context, {
    source: 's3://fake/dags',
    env: { AWS_ACCESS_KEY_ID: 'reader', AWS_SECRET_ACCESS_KEY: 'not-checked' },
    args: ['--endpoint-url', endpoint, '--poll-interval', '1h'],
    node: values.node,
    standby,
  });
  const processes = (): readonly number[] => [mount.pid, ...descendants(mount.pid)];
  await mount.logged('ready', 600_000);
  const isThere = (): boolean => processes().some((pid) => nameOf(pid) === 'dagmount-standby');
  if (standby) await waitFor('the standby', () => isThere(), 120_000);
  await delay(1000 * Number(values.idle));
  const sum: Parts = { anonymous: 0, program: 0, shared: 0, 'other files': 0 };
  console.log(standby ? 'with a standby' : 'without a standby');
  for (const pid of processes()) {
    const parts = partsOf(pid);
    for (const part of PARTS) sum[part] += parts[part];
    console.log(row(`  ${nameOf(pid)}`, parts));
  }
  console.log(row('  together', sum));
  await mount.stop();
}

async function bench(context: Cleanup): Promise<void> {
  const objects = Number(values.objects);
  const store = await serveManyObjects({ objects, prefix: 'dags/', bytes: Number(values.bytes) });
  defer(context, () => store.stop());
  console.log(`${objects} objects of ${values.bytes} bytes, ${values.node}; PSS, MiB`);
  console.log(`${''.padEnd(22)}${['all', ...PARTS].map((name) => name.padStart(13)).join('')}`);
  await once(context, store.endpoint, false);
  await once(context, store.endpoint, true);
}

await withCleanup(bench);
