import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dagmount, demoDags, mount, run, type Stage, untilShown } from './stage.ts';
import { bucket } from './store.ts';
import { bold, dim, green, say, sayCommand, sayDone, sayFact, sayOutput, secondsSince } from './terminal.ts';

const root = `s3://${bucket}/releases`;
const environment = 'production';
const pipeline = 'my_pipeline.py';

const projectFile = `to: ${root}
environments: [staging, ${environment}]
exclude: [dagmount.yaml, "*.md"]
`;

const revisions = {
  1: 'revision 1: load orders once a day',
  2: 'revision 2: load orders once an hour',
} as const;

function pipelineOf(revision: keyof typeof revisions): string {
  return `# ${revisions[revision]}
from airflow.sdk import DAG

with DAG("my_pipeline", schedule="${revision === 1 ? '@daily' : '@hourly'}"):
    ...
`;
}

/** As typed into a shell. */
function quoted(argument: string): string {
  return argument.includes(' ') ? `'${argument}'` : argument;
}

/** The same folder as releases: deployed, mounted, one file of it deployed, rolled back. Returns where the mount is. */
export async function showReleases(stage: Stage): Promise<string> {
  const checkout = join(stage.directory, 'checkout');
  await cp(demoDags, checkout, { recursive: true });
  await writeFile(join(checkout, 'dagmount.yaml'), projectFile);
  await writeFile(join(checkout, pipeline), pipelineOf(1));
  say();
  say(bold('the same folder, deployed as releases'));
  const command = async (...args: readonly string[]): Promise<string> => {
    sayCommand(`dagmount ${args.map(quoted).join(' ')}`);
    const start = performance.now();
    sayOutput(await dagmount(stage, args, checkout));
    return secondsSince(start);
  };
  sayCommand('cat dagmount.yaml');
  sayOutput(projectFile);
  sayDone(`deployed in ${await command('deploy', '.', environment, '-m', 'The whole folder')}`);

  const target = join(stage.directory, environment);
  await mkdir(target);
  const args = [
    root,
    target,
    '--ref',
    environment,
    '--endpoint-url',
    stage.store.endpoint,
    '--poll-interval',
    '1s',
  ];
  const start = performance.now();
  const kept = join(stage.directory, 'releases');
  await mount(stage, [...args, '--state-dir', join(kept, 'state')], join(kept, 'cache'));
  sayFact('mounted', `${green(target)} in ${Math.round(performance.now() - start)} ms, with`);
  say(`            ${dim(`dagmount mount ${args.join(' ')}`)}`);

  const file = join(target, pipeline);
  const shows = async (
    what: string,
    revision: keyof typeof revisions,
    ...step: readonly string[]
  ): Promise<void> => {
    const took = await command(...step);
    const end = performance.now();
    await untilShown(stage, file, revisions[revision]);
    const after = secondsSince(end);
    sayCommand(`head -1 ${file}`);
    sayOutput(await run('head', ['-1', file], stage));
    sayDone(`${what} in ${took}, in the mount ${after} later`);
  };
  say();
  await writeFile(join(checkout, pipeline), pipelineOf(2));
  await shows('deployed', 2, 'deploy', pipeline, environment, '-m', 'Orders by the hour');
  say();
  await command('releases', environment);
  say();
  await shows('rolled back', 1, 'rollback', environment, '-m', 'Too many queries');
  return target;
}
