import { resolve } from 'node:path';
import { printable, printableLines } from '../../base/printable.ts';
import { type Flag, isGiven, lastValue, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import { nearest } from '../../config/nearest.ts';
import { collect } from '../../deploy/collect.ts';
import { readLogEntry, readStanding, type TakenStep } from '../../deploy/current-step.ts';
import { noRelease } from '../../deploy/environments.ts';
import { exportRelease } from '../../deploy/export-release.ts';
import { compareFiles } from '../../deploy/file-changes.ts';
import { stepInForce } from '../../deploy/in-force.ts';
import type { ReleaseRoot } from '../../deploy/open-root.ts';
import { readFiles, readManifest } from '../../deploy/read-release.ts';
import { type Verified, verifyRelease } from '../../deploy/verify-release.ts';
import type { ReleasedFile } from '../../release/index.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatJson, formatSize, formatTable, plural } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { findProject } from './project-file.ts';
import { releaseActions } from './release-actions.ts';
import { openRoot, ROOT_FLAGS, rootAddress } from './release-root.ts';
import { runInterruptibly } from './run-interruptibly.ts';
import { signersOf } from './signers.ts';
import { changesText, signersText, stepDocument } from './step-text.ts';

type Action = (typeof releaseActions)[number];

/** Maximum number of arguments of each action, including the environment. */
const MOST_ARGUMENTS: Readonly<Record<Action, number>> = { show: 2, diff: 3, verify: 2, export: 3, gc: 0 };

/** Maximum number of flaws that are shown for an unusable release. */
const MOST_FLAWS = 20;
const KEEP = 20;
const OLDER = '30d';

const FLAGS = [
  ...ROOT_FLAGS,
  { name: 'allowed-signers', takesValue: true },
  { name: 'keep', takesValue: true },
  { name: 'older', takesValue: true },
  { name: 'yes', takesValue: false },
];

/** The input of an action. */
interface Asked {
  readonly root: ReleaseRoot;
  readonly environment: string;
  readonly rest: readonly string[];
  readonly flags: readonly Flag[];
  readonly signersFile: string | undefined;
  readonly shell: Shell;
  readonly signal: AbortSignal;
}

export const run: RunCommand = (args, shell) =>
  runInterruptibly(async (signal) => {
    const { flags, positionals } = parseCommandLine(args, FLAGS, 'release');
    const [action, environment, ...rest] = positionals;
    if (!isAction(action) || (environment === undefined && action !== 'gc')) throw misread(action);
    const surplus = positionals[1 + MOST_ARGUMENTS[action]];
    if (surplus !== undefined) {
      throw new ConfigError(
        'usage',
        `There is one argument too many: ${printable(surplus)}.`,
        action === 'gc'
          ? 'dagmount release gc looks at all environments of the root; see dagmount help release.'
          : 'See dagmount help release.',
      );
    }
    const project = findProject(shell.environment.workingDirectory);
    const root = await openRoot(rootAddress(flags, environment, project, shell), flags, shell);
    const signersFile = lastValue(flags, 'allowed-signers') ?? project?.signers;
    try {
      return await ACTIONS[action]({
        root,
        environment: environment ?? '',
        rest,
        flags,
        signersFile,
        shell,
        signal,
      });
    } finally {
      await root.close();
    }
  });

const ACTIONS: Readonly<Record<Action, (asked: Asked) => Promise<number>>> = {
  show: async ({ rest: [which], ...asked }) => {
    const step = await stepOf(which, asked);
    const { files } = await readManifest(asked.root.store, step.payload, asked.signal);
    print({ step: stepDocument(step), files }, filesText(step, files), asked);
    return exitCodes.ok;
  },
  diff: async ({ rest: [from, to], ...asked }) => {
    const newer = await stepOf(to, asked);
    const { sequence } = newer.payload;
    // The first step has no older step to compare with: everything in it counts as added.
    const older =
      from === undefined && sequence === 1 ? undefined : await stepOf(from ?? String(sequence - 1), asked);
    const [before, after] = await Promise.all(
      [older, newer].map((step) => readFiles(asked.root.store, { step }, asked.signal)),
    );
    const changes = compareFiles(before!, after!);
    print(
      { from: older === undefined ? null : stepDocument(older), to: stepDocument(newer), paths: changes },
      changesText(changes, paintsFor(asked.shell.out)),
      asked,
    );
    return exitCodes.ok;
  },
  verify: async ({ rest: [which], ...asked }) => {
    const step = await stepOf(which, asked);
    const { root, signal } = asked;
    const found = await verifyRelease(step, {
      store: root.store,
      concurrency: root.concurrency,
      signers: signersOf(asked.signersFile),
      signal,
    });
    print(
      { step: stepDocument(step), ...found, signedBy: found.signedBy ?? null },
      verifiedText(found),
      asked,
    );
    return found.flaws.length === 0 ? exitCodes.ok : exitCodes.dataError;
  },
  export: async ({ rest: [directory, which], ...asked }) => {
    if (directory === undefined)
      throw new ConfigError(
        'usage',
        'The target directory is missing.',
        'Usage: dagmount release export ENV DIRECTORY [STEP].',
      );
    const { root, shell, signal } = asked;
    const step = which === undefined ? await shownStep(asked) : await stepOf(which, asked);
    const target = resolve(shell.environment.workingDirectory, directory);
    const manifest = await readManifest(root.store, step.payload, signal);
    await exportRelease(manifest, target, { store: root.store, concurrency: root.concurrency, signal }).catch(
      (error) => {
        throw fileError(error, target);
      },
    );
    print(
      { step: stepDocument(step), directory: target },
      `${plural(manifest.files.length, 'file')} of step ${step.payload.sequence} in ${printable(target)}\n`,
      asked,
    );
    return exitCodes.ok;
  },
  gc: async (asked) => {
    const { root, flags, signal } = asked;
    const act = isGiven(flags, 'yes');
    const found = await collect(act, {
      store: root.store,
      keep: keepOf(lastValue(flags, 'keep')),
      youngerThanMs: ageOf(lastValue(flags, 'older') ?? OLDER),
      concurrency: root.concurrency,
      now: root.now,
      signal,
    });
    const verb = act ? '' : 'would be ';
    const text =
      `${plural(found.kept.manifests, 'manifest')} and ${plural(found.kept.packs, 'pack')} are needed.\n` +
      `${plural(found.condemned.length, 'object')} ${verb}condemned, to be deleted by a run in two hours or later; ` +
      `${found.deleted.length} ${verb}deleted, ${found.waiting} wait, ${found.spared.length} are needed again.\n` +
      (act ? '' : 'Nothing was done: pass --yes to do it.\n');
    print({ acted: act, ...found }, text, asked);
    return exitCodes.ok;
  },
};

/** Returns the step that nodes show: a step that waits for its instant is not exported before that. */
async function shownStep({ root, environment, signal }: Omit<Asked, 'rest'>): Promise<TakenStep> {
  const { store, now } = root;
  const standing = await readStanding(store, environment, signal);
  if (standing.step === undefined) throw await noRelease(store, environment, signal);
  const step = await stepInForce(store, environment, standing, now(), signal);
  if (step !== undefined) return step;
  throw new CommandError(
    'no-release',
    `Environment ${environment} shows no release yet: its first step waits for its instant.`,
    'Name the step to export it all the same.',
  );
}

/** Finds a step by its number; without a number, the newest step. */
async function stepOf(
  which: string | undefined,
  { root, environment, signal }: Omit<Asked, 'rest'>,
): Promise<TakenStep> {
  if (which !== undefined && !/^\d{1,10}$/.test(which)) {
    throw new ConfigError(
      'usage',
      `${printable(which)} is no number of a step.`,
      `See dagmount releases ${environment}.`,
    );
  }
  const step =
    which === undefined
      ? (await readStanding(root.store, environment, signal)).step
      : await readLogEntry(root.store, environment, Number(which), signal);
  if (step !== undefined) return step;
  if (which === undefined) throw await noRelease(root.store, environment, signal);
  throw new CommandError(
    'no-release',
    `Environment ${environment} has no step ${which}.`,
    `See dagmount releases ${environment}.`,
  );
}

function verifiedText({ files, bytes, signedBy, flaws, hints }: Verified): string {
  const signed =
    signedBy === undefined
      ? 'signatures not checked (--allowed-signers)'
      : `signed by ${signersText(signedBy)}`;
  const more = flaws.length - MOST_FLAWS;
  return [
    `${plural(files, 'file')}, ${formatSize(bytes)}, ${signed}`,
    ...flaws.slice(0, MOST_FLAWS).map((flaw) => printable(flaw)),
    ...(more > 0 ? [`and ${more} more, all of which --json names`] : []),
    ...hints.map((hint) => printable(hint)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function filesText({ payload }: TakenStep, files: readonly ReleasedFile[]): string {
  const rows = files.map(({ path, size, sha256, executable }) => [
    path,
    formatSize(size),
    executable ? 'x' : '',
    sha256.slice(0, 12),
  ]);
  const heading = `${payload.environment} step ${payload.sequence}  ${payload.release}\n${payload.author}: ${payload.message}\n`;
  return `${printableLines(heading)}${formatTable(['PATH', 'SIZE', '', 'SHA256'], rows)}`;
}

function print(document: object, text: string, { flags, shell }: Pick<Asked, 'flags' | 'shell'>): void {
  shell.out.write(isGiven(flags, 'json') ? formatJson(document) : text);
}

function keepOf(text: string | undefined): number {
  if (text === undefined) return KEEP;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new ConfigError('usage', `--keep cannot be ${JSON.stringify(text)}.`, 'Write a number from 1 on.');
}

function ageOf(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const age = days === undefined ? parseDuration(text) : Number(days) * 24 * 3600 * 1000;
  if (age !== undefined) return age;
  throw new ConfigError(
    'usage',
    `--older cannot be ${JSON.stringify(text)}.`,
    'Write days as 30d, or a duration as 12h.',
  );
}

function fileError(error: unknown, target: string): unknown {
  const { code } = error as { readonly code?: unknown };
  if (
    code !== 'EEXIST' &&
    code !== 'ENOTEMPTY' &&
    code !== 'ENOTDIR' &&
    code !== 'EACCES' &&
    code !== 'ENOENT' &&
    code !== 'ENOSPC'
  )
    return error;
  return new CommandError(
    'output-failed',
    `cannot write ${target} (${code}).`,
    'Name a directory that is not there yet, in one that is.',
    error,
  );
}

function misread(action: string | undefined): ConfigError {
  const usage = `Usage: dagmount release ${releaseActions.join('|')} ENV; see dagmount help release.`;
  if (action === undefined || isAction(action)) {
    return new ConfigError(
      'usage',
      `The ${action === undefined ? 'action' : 'environment'} of dagmount release is missing.`,
      usage,
    );
  }
  const meant = nearest(action, releaseActions);
  return new ConfigError(
    'usage',
    `There is no action ${printable(action)} of dagmount release.`,
    meant === undefined ? usage : `Did you mean ${meant}? ${usage}`,
  );
}

function isAction(text: string | undefined): text is Action {
  return releaseActions.some((action) => action === text);
}
