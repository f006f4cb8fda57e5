import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { demoDags, mount, run, type Stage, untilShown } from './stage.ts';
import { bucket } from './store.ts';
import { dim, green, say, sayCommand, sayDone, sayFact, sayOutput, secondsSince } from './terminal.ts';

export const prefix = 'prod/';
const changed = 'sql/daily_sales.sql';

/** A DAG folder below a prefix, a mount of it, and a change that arrives. Returns where the mount is. */
export async function showPrefix(stage: Stage): Promise<string> {
  const { files, bytes } = await upload(stage);
  sayFact('uploaded', `${files} files, ${(bytes / 1024).toFixed(1)} KiB, to s3://${bucket}/${prefix}`);
  const target = join(stage.directory, 'dags');
  await mkdir(target);
  const args = [
    `s3://${bucket}/${prefix}`,
    target,
    '--endpoint-url',
    stage.store.endpoint,
    '--poll-interval',
    '1s',
  ];
  const start = performance.now();
  await mount(stage, args, join(stage.directory, 'cache'));
  sayFact('mounted', `${green(target)} in ${Math.round(performance.now() - start)} ms, with`);
  say(`            ${dim(`dagmount mount ${args.join(' ')}`)}`);
  await showTree(stage, target);
  await showChange(stage, target);
  return target;
}

async function upload({ store }: Stage): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(demoDags, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  let bytes = 0;
  for (const file of files) {
    const body = await readFile(file);
    await store.put(prefix + relative(demoDags, file), body);
    bytes += body.length;
  }
  return { files: files.length, bytes };
}

async function showTree(stage: Stage, target: string): Promise<void> {
  say();
  sayCommand(`ls -lAR ${target}`);
  const listing = await run('ls', ['-lAR', target], stage);
  sayOutput(listing.replaceAll(`${target}/`, '').replace(`${target}:`, '.:'));
}

async function showChange(stage: Stage, target: string): Promise<void> {
  const file = join(target, changed);
  const head = async (): Promise<void> => {
    sayCommand(`head -1 ${file}`);
    sayOutput(await run('head', ['-1', file], stage));
  };
  say();
  await head();
  const source = await readFile(join(demoDags, changed), 'utf8');
  const next = source
    .replace('revision 1: gross sales', 'revision 2: gross and net sales')
    .replace('orders, gross)', 'orders, gross, net)')
    .replace('/ 100.0 as gross', '/ 100.0 as gross,\n    sum(total_cents - tax_cents) / 100.0 as net');
  await stage.store.put(prefix + changed, next);
  const start = performance.now();
  say(`  ${dim('…')} a new ${changed} is put into the store`);
  await untilShown(stage, file, 'revision 2');
  const seconds = secondsSince(start);
  await head();
  say();
  sayDone(`the change arrived in the mount ${seconds} after the upload`);
  say(
    dim('    (polled every second, then listed once more a second later, so that a deploy arrives as one)'),
  );
}
