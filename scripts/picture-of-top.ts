import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startChild } from '../test/support/child.ts';
import { repository } from '../test/support/repository.ts';
import { runInTerminal } from '../test/support/terminal.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { svgOf } from './lib/terminal-picture.ts';

/** The show behind scripts/picture-of-top: the demo, readers and a deploy, and what dagmount top shows of them. */
const COLUMNS = 104;
const ROWS = 36;
/** Rounds of a deploy and of readers that follow it, a second each. */
const ROUNDS = 20;
const CHANGED = ['sql/daily_sales.sql', 'sql/refresh_customers.sql', 'common/alerts.py', 'ingest_events.py'];

const run = promisify(execFile);
const cli = join(repository, 'dist/bundle/cli/main.js');
const file = process.argv[2] ?? join(repository, 'docs/top.svg');

type Undo = () => Promise<void> | void;

/** The demo, as scripts/demo starts it; resolves to where it has mounted what. */
async function startDemo(undo: Undo[]): Promise<{ readonly target: string; readonly endpoint: string }> {
  const demo = startChild(process.execPath, [join(repository, 'dist/scripts/demo.js')], {
    env: { ...process.env, NO_COLOR: '1' },
  });
  undo.push(async () => {
    demo.kill('SIGTERM');
    await demo.exit;
  });
  const said = (pattern: RegExp): Promise<string> =>
    waitFor(
      `the demo to say ${pattern}`,
      () => {
        if (demo.process.exitCode !== null) throw new Error(`the demo has ended: ${demo.stderr()}`);
        return pattern.exec(demo.stdout())?.[1];
      },
      60_000,
    );
  const endpoint = await said(/store +embedded, at (http:\S+),/);
  return { endpoint, target: await said(/look +ls -l (\S+)/) };
}

async function socketAt(target: string): Promise<string> {
  const { stdout } = await run(process.execPath, [cli, 'list', '--json']);
  const mounts = JSON.parse(stdout) as { readonly target: string; readonly socket: string }[];
  return mounts.find((mount) => mount.target === target)?.socket as string;
}

/** In each round, changes some files and reads all of them. */
async function makeTraffic(endpoint: string, target: string): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    // A deploy only now and then: continuous changes would wait for --settle.
    if (round % 8 === 0) {
      for (const path of CHANGED) {
        const body = `-- round ${round} of ${path}\n`;
        // The embedded store checks no signature.
        await fetch(`${endpoint}/acme-dags/prod/${path}`, { method: 'PUT', body });
      }
    }
    await run('sh', ['-c', 'find "$0" -type f -exec cat {} + >/dev/null', target], { timeout: 30_000 });
    await delay(1_000);
  }
}

const undo: Undo[] = [];
try {
  const { endpoint, target } = await startDemo(undo);
  const socket = await socketAt(target);
  const view = runInTerminal(
    { after: (callback) => undo.push(callback as Undo) },
    [process.execPath, cli, 'top', '--socket', socket],
    { columns: COLUMNS, rows: ROWS, env: { ...process.env, NO_COLOR: '' } },
  );
  await view.shows(/LAST CHANGES/);
  await makeTraffic(endpoint, target);
  const picture = svgOf(view.cells(), 'dagmount top');
  view.type('q');
  const { code } = await view.end;
  if (code !== 0) throw new Error(`dagmount top exited with ${code}`);
  await writeFile(file, picture);
  process.stdout.write(`${file}\n`);
} finally {
  for (let next = undo.pop(); next !== undefined; next = undo.pop()) await next();
}
