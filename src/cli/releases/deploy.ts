import { dirname } from 'node:path';
import { type Flag, type FlagSpec, isGiven, parseCommandLine, valuesOf } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { checkTree, type TreeChecks } from '../../deploy/check-tree.ts';
import { type Deployed, deploy } from '../../deploy/deploy.ts';
import { lastDeployers } from '../../deploy/last-deployers.ts';
import { requireConditionalWrites } from '../../deploy/probe.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatJson } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { RunCommand } from '../shell.ts';
import { awaitNodes, nodeWait, requireShown, WAIT_FLAGS } from './await-nodes.ts';
import { collectSources, isDirectory, refuseUnclearPath, resolveSources } from './deploy-sources.ts';
import { deployDocument, deployText, dryRunDocument, dryRunText, tellProgress } from './deploy-text.ts';
import { newEnvironmentNote } from './new-environment.ts';
import { findCommonProject } from './project-file.ts';
import { openRoot, ROOT_FLAGS, rootAddress } from './release-root.ts';
import { runInterruptibly } from './run-interruptibly.ts';
import { STEP_FLAGS } from './step-flags.ts';
import { pauseBetweenTries } from './step-pause.ts';
import { inForceText } from './step-text.ts';
import { notesTo, signer, stepWords, tellClock, wordsAt } from './step-words.ts';

const FLAGS: readonly FlagSpec[] = [
  ...ROOT_FLAGS,
  ...STEP_FLAGS,
  ...WAIT_FLAGS,
  { name: 'remove', takesValue: true },
  { name: 'as', takesValue: true },
  { name: 'include', takesValue: true },
  { name: 'exclude', takesValue: true },
  { name: 'dry-run', takesValue: false },
  { name: 'allow-older', takesValue: false },
  { name: 'upload-all', takesValue: false },
  { name: 'check', takesValue: true },
  { name: 'no-check', takesValue: false },
];

export const run: RunCommand = (args, shell) =>
  runInterruptibly(async (signal) => {
    const { flags, positionals } = parseCommandLine(args, FLAGS, 'deploy');
    const environment = positionals.at(-1);
    const sources = positionals.slice(0, -1);
    if (environment === undefined || (sources.length === 0 && !isGiven(flags, 'remove'))) {
      throw new ConfigError(
        'usage',
        'The source or the environment of the deploy is missing.',
        'Usage: dagmount deploy SOURCE… ENV, as in dagmount deploy my_pipeline.py production; see dagmount help deploy.',
      );
    }
    const wait = nodeWait(flags);
    const paints = paintsFor(shell.out);
    const paths = resolveSources(sources, shell);
    const [first = shell.environment.workingDirectory, ...others] = paths;
    const project = findCommonProject([first, ...others]);
    const address = rootAddress(flags, environment, project, shell);
    const directory = isDirectory(first) ? first : dirname(first);
    // Queries git for the words of the step, and reads the files meanwhile.
    const [spoken, deployed] = await Promise.all([
      stepWords(flags, directory, {}, shell, signal),
      collectSources(paths, flags, project, signal),
    ]);
    const root = await openRoot(address, flags, shell);
    const { store } = root;
    try {
      const dryRun = isGiven(flags, 'dry-run');
      if (!dryRun) await requireConditionalWrites(store, root.probed, signal);
      tellClock(root, shell);
      const words = wordsAt(spoken, root);
      const note = notesTo(shell);
      if (spoken.uncommitted) {
        note(`${directory} has changes that commit ${words.commit?.slice(0, 12)} does not have`);
      }
      const checks: TreeChecks = {
        directory,
        commands: isGiven(flags, 'no-check') ? [] : [...(project?.checks ?? []), ...valuesOf(flags, 'check')],
        builtIn: !isGiven(flags, 'no-check'),
        commit: words.commit,
        allowOlder: isGiven(flags, 'allow-older'),
        lastDeployers: (paths, standing) => lastDeployers(store, environment, standing, paths, signal),
        note,
      };
      const end = await deploy(deployed, {
        store,
        root: address.root,
        environment,
        words,
        allowDeletions: isGiven(flags, 'allow-deletions'),
        mayReplaceArmed: isGiven(flags, 'replace'),
        uploadAll: uploadsAll(flags, deployed),
        sign: signer(flags, words.author, { signersFile: project?.signers, note }, signal),
        check: async (files, changes, standing) => {
          refuseUnclearPath(deployed, files, changes, project, flags);
          await checkTree(deployed, files, changes, standing, checks, signal);
          const isNew = standing.etag === undefined && standing.step === undefined;
          const told = isNew && (await newEnvironmentNote(environment, project, store, signal));
          if (told) note(told);
          if (dryRun)
            throw new DryRun(dryRunDocument(changes, standing), dryRunText(changes, standing, paints));
        },
        onProgress: (done, all) => tellProgress(done.bytes, all.bytes, shell.err),
        now: root.now,
        pause: pauseBetweenTries(shell),
        onInForce: (step) => shell.tookEffect(inForceText(step)),
        signal,
      });
      const step = end.kind === 'deployed' ? end.step : end.standing.step!;
      shell.tookEffect(inForceText(step));
      if (!isGiven(flags, 'json')) shell.out.write(deployText(end, paints));
      const nodes = wait && (await awaitNodes(wait, step, shell, root, signal));
      if (isGiven(flags, 'json')) shell.out.write(formatJson({ ...deployDocument(end), nodes }));
      if (wait !== undefined) requireShown(nodes!, step, wait);
      return exitCodes.ok;
    } catch (error) {
      if (!(error instanceof DryRun)) throw error;
      shell.out.write(isGiven(flags, 'json') ? formatJson(error.document) : error.text);
      return exitCodes.ok;
    } finally {
      await root.close();
    }
  });

/**
 * Whether --upload-all is given. Throws ConfigError if it is given with files: this host does not have the
 * content of the release to which the files are added.
 */
function uploadsAll(flags: readonly Flag[], { kind }: Deployed): boolean {
  if (!isGiven(flags, 'upload-all')) return false;
  if (kind === 'tree') return true;
  throw new ConfigError(
    'usage',
    '--upload-all goes with a directory, not with files.',
    'Name the directory that is the whole tree.',
  );
}

/** Thrown to stop a deploy before it writes anything. */
class DryRun extends Error {
  readonly document: object;
  readonly text: string;

  constructor(document: object, text: string) {
    super('dry run');
    this.document = document;
    this.text = text;
  }
}
