import { statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { printable } from '../../base/printable.ts';
import {
  type Flag,
  type FlagSpec,
  isGiven,
  lastValue,
  parseCommandLine,
  valuesOf,
} from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { findProject, type Project } from '../../config/project-file.ts';
import { checkTree, type TreeChecks } from '../../deploy/check-tree.ts';
import type { Standing } from '../../deploy/current-step.ts';
import { type DeployEnd, type Deployed, deploy } from '../../deploy/deploy.ts';
import { requireConditionalWrites } from '../../deploy/probe.ts';
import { collectDirectory, collectFile } from '../../deploy/source-files.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatJson, formatSize, plural } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { openRoot, ROOT_FLAGS, rootAddress } from './release-root.ts';
import { runInterruptibly } from './run-interruptibly.ts';
import { pauseBetweenTries } from './step-pause.ts';
import { changesText, stepDocument, stepText } from './step-text.ts';
import { signer, stepWords } from './step-words.ts';

export const STEP_FLAGS: readonly FlagSpec[] = [
  { name: 'message', takesValue: true, short: 'm' },
  { name: 'author', takesValue: true },
  { name: 'commit', takesValue: true },
  { name: 'url', takesValue: true },
  { name: 'sign', takesValue: true },
  { name: 'principal', takesValue: true },
  { name: 'at', takesValue: true },
  { name: 'replace', takesValue: false },
  { name: 'allow-deletions', takesValue: false },
];

const FLAGS: readonly FlagSpec[] = [
  ...ROOT_FLAGS,
  ...STEP_FLAGS,
  { name: 'remove', takesValue: true },
  { name: 'as', takesValue: true },
  { name: 'include', takesValue: true },
  { name: 'exclude', takesValue: true },
  { name: 'dry-run', takesValue: false },
  { name: 'allow-older', takesValue: false },
  { name: 'check', takesValue: true },
  { name: 'no-check', takesValue: false },
];

export const run: RunCommand = (args, shell) =>
  runInterruptibly(async (signal) => {
    const { flags, positionals } = parseCommandLine(args, FLAGS, 'deploy');
    const environment = positionals.at(-1);
    const sources = positionals.slice(0, -1);
    const removed = valuesOf(flags, 'remove');
    if (environment === undefined || (sources.length === 0 && removed.length === 0)) {
      throw new ConfigError(
        'usage',
        'What is to be deployed, or where to, is missing.',
        'It is dagmount deploy SOURCE… ENV, as in dagmount deploy my_pipeline.py production; see dagmount help deploy.',
      );
    }
    const first = resolve(shell.environment.workingDirectory, sources[0] ?? '.');
    const project = findProject(first);
    const address = rootAddress(flags, environment, project, shell);
    const deployed = await collect(sources, removed, flags, project, shell, signal);
    const directory = isDirectory(first) ? first : dirname(first);
    const words = await stepWords(flags, directory, {}, shell, signal);
    const root = await openRoot(address, flags, shell);
    try {
      const dryRun = isGiven(flags, 'dry-run');
      if (!dryRun) await requireConditionalWrites(root.store, root.probed, signal);
      const checks: TreeChecks = {
        directory,
        commands: isGiven(flags, 'no-check') ? [] : [...(project?.checks ?? []), ...valuesOf(flags, 'check')],
        builtIn: !isGiven(flags, 'no-check'),
        commit: words.commit,
        allowOlder: isGiven(flags, 'allow-older'),
        note: (sentence) => shell.err.write(`dagmount: ${printable(sentence)}.\n`),
      };
      const end = await deploy(deployed, {
        store: root.store,
        root: address.root,
        environment,
        words,
        allowDeletions: isGiven(flags, 'allow-deletions'),
        mayReplaceArmed: isGiven(flags, 'replace'),
        sign: signer(flags, words.author, signal),
        check: async (files, changes, standing) => {
          await checkTree(deployed, files, changes, standing, checks, signal);
          if (dryRun) throw new DryRun(() => tellDryRun(changes, standing, flags, shell));
        },
        onProgress: (done, all) => tellProgress(done.bytes, all.bytes, shell),
        now: () => shell.wallClock(),
        pause: pauseBetweenTries,
        signal,
      });
      tell(end, flags, shell);
      return exitCodes.ok;
    } catch (error) {
      if (!(error instanceof DryRun)) throw error;
      error.tell();
      return exitCodes.ok;
    } finally {
      await root.close();
    }
  });

/** Ends a deploy before anything is written. */
class DryRun extends Error {
  readonly tell: () => void;

  constructor(tell: () => void) {
    super('dry run');
    this.tell = tell;
  }
}

/** One directory is the whole tree; files are put on top of the tree that is there. */
async function collect(
  sources: readonly string[],
  removed: readonly string[],
  flags: readonly Flag[],
  project: Project | undefined,
  shell: Shell,
  signal: AbortSignal,
): Promise<Deployed> {
  const paths = sources.map((source) => resolve(shell.environment.workingDirectory, source));
  const missing = paths.findIndex((path) => !exists(path));
  if (missing !== -1)
    throw new CommandError('no-source', `There is no ${sources[missing]}.`, 'Check the path.');
  const [only] = paths;
  if (only !== undefined && paths.length === 1 && isDirectory(only)) {
    if (removed.length > 0 || isGiven(flags, 'as'))
      throw usage('--remove and --as go with files, not with a directory.');
    const { PathFilter } = await import('../../tree/index.ts');
    const filter = PathFilter.compile({
      include: [...(project?.include ?? []), ...valuesOf(flags, 'include')],
      exclude: [...(project?.exclude ?? []), ...valuesOf(flags, 'exclude')],
    });
    return {
      kind: 'tree',
      files: await collectDirectory(only, { shows: (path) => filter.shows(path), signal }),
    };
  }
  const folder = paths.find(isDirectory);
  if (folder !== undefined) throw usage('A directory is the whole tree: name it alone, or name files.');
  const as = lastValue(flags, 'as');
  if (as !== undefined && paths.length !== 1) throw usage('--as names the path of one file.');
  const files = await Promise.all(paths.map((path) => collectFile(path, as ?? pathInTree(path, project))));
  return { kind: 'files', files, removed };
}

/** Below the directory that the project says is the tree; without a project a file's name. */
function pathInTree(path: string, project: Project | undefined): string | undefined {
  if (project === undefined) return undefined;
  const below = relative(project.tree, path).split(sep).join('/');
  if (!below.startsWith('../')) return below;
  throw new ConfigError(
    'usage',
    `${path} is not below ${project.tree}, which ${project.file} says is the tree.`,
    'Say by --as which path it has in the tree.',
  );
}

function tell(end: DeployEnd, flags: readonly Flag[], shell: Shell): void {
  if (isGiven(flags, 'json')) {
    const document =
      end.kind === 'unchanged'
        ? { deployed: false, step: end.standing.step && stepDocument(end.standing.step) }
        : {
            deployed: true,
            step: stepDocument(end.step),
            paths: end.changes,
            uploadedBytes: end.uploaded.bytes,
          };
    shell.out.write(formatJson(document));
    return;
  }
  const paints = paintsFor(shell.out);
  if (end.kind === 'unchanged') {
    const { environment, sequence } = end.standing.step!.payload;
    shell.out.write(`${environment} shows these very files since step ${sequence}: nothing to deploy.\n`);
    return;
  }
  const { uploaded, step, changes } = end;
  shell.out.write(stepText(step, changes, paints));
  shell.out.write(`${formatSize(uploaded.bytes)} uploaded in ${plural(uploaded.packs, 'pack')}.\n`);
}

function tellDryRun(
  changes: Parameters<typeof changesText>[0],
  { step }: Standing,
  flags: readonly Flag[],
  shell: Shell,
): void {
  if (isGiven(flags, 'json')) {
    const document = {
      deployed: false,
      onTopOf: step === undefined ? null : stepDocument(step),
      paths: changes,
    };
    shell.out.write(formatJson(document));
    return;
  }
  const on =
    step === undefined ? 'nothing' : `step ${step.payload.sequence} by ${printable(step.payload.author)}`;
  shell.out.write(`On top of ${on}, this would be deployed:\n${changesText(changes, paintsFor(shell.out))}`);
}

function tellProgress(done: number, all: number, shell: Shell): void {
  if (!shell.err.isTerminal) return;
  shell.err.write(
    `\rdagmount: uploading, ${formatSize(done)} of ${formatSize(all)}   ${done === all ? '\r\n' : ''}`,
  );
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function usage(message: string): ConfigError {
  return new ConfigError('usage', message, 'See dagmount help deploy.');
}
