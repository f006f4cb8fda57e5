import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prefix, showPrefix } from './demo-show/prefix.ts';
import { showReleases } from './demo-show/releases.ts';
import { DemoError, type Undo } from './demo-show/stage.ts';
import { access, bucket, region, startStore } from './demo-show/store.ts';
import { bold, dim, say, sayFact } from './demo-show/terminal.ts';

/**
 * The show behind scripts/demo: an embedded store, a DAG folder in it, a mount, and a change that arrives; then the same
 * folder as releases.
 */
async function show(once: boolean, undo: Undo[], signal: AbortSignal): Promise<void> {
  say();
  say(bold('dagmount demo'));
  const store = await startStore(undo);
  sayFact('store', `embedded, at ${store.endpoint}, bucket ${bucket}`);
  const directory = await mkdtemp(join(tmpdir(), 'dagmount-demo-'));
  undo.splice(0, 0, () => rm(directory, { recursive: true, force: true }));
  const stage = { store, directory, undo, signal };
  const target = await showPrefix(stage);
  const released = await showReleases(stage);
  if (once) return;
  say();
  sayFact('look', `ls -l ${target} ${released}`);
  const { accessKeyId, secretAccessKey } = access;
  sayFact(
    'change',
    `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} aws --region ${region} --endpoint-url ${store.endpoint} \\\n` +
      `              s3 cp my_dag.py s3://${bucket}/${prefix}`,
  );
  sayFact('end', 'Ctrl-C unmounts and takes everything away');
  while (!signal.aborted) await delay(60_000, undefined, { signal });
}

/** Returns whether all of it was undone. */
async function undoAll(undo: Undo[]): Promise<boolean> {
  let clean = true;
  for (let next = undo.pop(); next !== undefined; next = undo.pop()) {
    await next().catch((error: unknown) => {
      clean = false;
      process.stderr.write(`could not clean up: ${String(error)}\n`);
    });
  }
  return clean;
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
const undo: Undo[] = [];
let exitCode = 0;
try {
  await show(process.argv.includes('--once'), undo, stop.signal);
} catch (error) {
  if (!stop.signal.aborted) {
    exitCode = error instanceof DemoError ? error.exitCode : 70;
    process.stderr.write(`${error instanceof DemoError ? error.message : String((error as Error).stack)}\n`);
  }
}
if (!(await undoAll(undo)) && exitCode === 0) exitCode = 70;
if (exitCode === 0) say(dim('\n  unmounted, the store stopped, nothing left behind'));
process.exitCode = exitCode;
