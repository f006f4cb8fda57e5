import { type Flag, type FlagSpec, isGiven, lastValue, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ChangeOptions } from '../../deploy/change-options.ts';
import type { Moved, RollbackTarget } from '../../deploy/move.ts';
import { requireConditionalWrites } from '../../deploy/probe.ts';
import { isReleaseId } from '../../release/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatJson } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { Shell } from '../shell.ts';
import { awaitNodes, nodeWait, requireShown, WAIT_FLAGS } from './await-nodes.ts';
import { newEnvironmentNote } from './new-environment.ts';
import { findProject } from './project-file.ts';
import { openRoot, ROOT_FLAGS, requireKnown, rootAddress } from './release-root.ts';
import { runInterruptibly } from './run-interruptibly.ts';
import { STEP_FLAGS } from './step-flags.ts';
import { pauseBetweenTries } from './step-pause.ts';
import { inForceText, stepDocument, stepText } from './step-text.ts';
import { notesTo, signer, stepWords, tellClock, wordsAt } from './step-words.ts';

const FLAGS: readonly FlagSpec[] = [...ROOT_FLAGS, ...STEP_FLAGS, ...WAIT_FLAGS];

/** A command that makes a step without an upload: promote or rollback. */
export interface MoveCommand {
  readonly name: 'promote' | 'rollback';
  /**
   * Whether --to may also name the target step or release. If not, --to only gives the address of the root,
   * and a value that is no address is refused; it is not replaced by a default address.
   */
  readonly takesTarget: boolean;
  /**
   * Converts the arguments to a request. `target` is the last value of --to that is not an address; undefined
   * if there is none. Throws ConfigError if the arguments are invalid.
   */
  readonly read: (positionals: readonly string[], target: string | undefined) => MoveRequest;
}

export interface MoveRequest {
  readonly environment: string;
  /**
   * The environment that the release comes from; undefined if the release comes from the same environment.
   */
  readonly from: string | undefined;
  /** The message of the step if --message is not given. */
  readonly message: string;
  readonly take: (options: ChangeOptions) => Promise<Moved>;
}

export function runMove(command: MoveCommand, args: readonly string[], shell: Shell): Promise<number> {
  return runInterruptibly(async (signal) => {
    const { flags, positionals } = parseCommandLine(args, FLAGS, command.name);
    const wait = nodeWait(flags);
    const isTarget = ({ name, value }: Flag): boolean =>
      command.takesTarget && name === 'to' && value?.includes('://') === false;
    const request = command.read(positionals, flags.findLast(isTarget)?.value);
    const { workingDirectory } = shell.environment;
    const project = findProject(workingDirectory);
    if (request.from !== undefined) requireKnown(request.from, project);
    const placing = flags.filter((flag) => !isTarget(flag));
    const address = rootAddress(placing, request.environment, project, shell);
    // Uses no commit of this work tree for the step, because the release keeps its own commit.
    const spoken = await stepWords(flags, workingDirectory, { message: request.message }, shell, signal);
    const root = await openRoot(address, flags, shell);
    try {
      await requireConditionalWrites(root.store, root.probed, signal);
      tellClock(root, shell);
      const note = notesTo(shell);
      const words = { ...wordsAt(spoken, root), commit: lastValue(flags, 'commit') };
      const { step, changes } = await request.take({
        store: root.store,
        root: address.root,
        environment: request.environment,
        words,
        allowDeletions: isGiven(flags, 'allow-deletions'),
        mayReplaceArmed: isGiven(flags, 'replace'),
        sign: signer(flags, words.author, { signersFile: project?.signers, note }, signal),
        now: root.now,
        pause: pauseBetweenTries(shell),
        onInForce: (taken) => shell.tookEffect(inForceText(taken)),
        signal,
      });
      const isNew = step.payload.sequence === 1;
      // Ignores a failure of the note, because the step is in force already, and a note must not make the
      // command fail.
      const told =
        isNew &&
        (await newEnvironmentNote(request.environment, project, root.store, signal).catch(() => undefined));
      if (told) note(told);
      if (!isGiven(flags, 'json')) shell.out.write(stepText(step, changes, paintsFor(shell.out)));
      const nodes = wait && (await awaitNodes(wait, step, shell, root, signal));
      if (isGiven(flags, 'json')) {
        shell.out.write(formatJson({ step: stepDocument(step), paths: changes, nodes }));
      }
      if (wait !== undefined) requireShown(nodes!, step, wait);
      return exitCodes.ok;
    } finally {
      await root.close();
    }
  });
}

/** Throws ConfigError if there are not exactly `count` arguments. */
export function exactly(positionals: readonly string[], count: number, usage: string): void {
  if (positionals.length === count) return;
  throw new ConfigError(
    'usage',
    `${positionals.length < count ? 'An argument is missing' : `There is one argument too many: ${positionals[count]}`}.`,
    `Usage: dagmount ${usage}.`,
  );
}

/**
 * Parses the target of a roll-back: `7` is a step, `sha256-…` is a release, undefined means what was shown
 * before. The first 12 digits of an id, which `dagmount releases` shows, are enough. Throws ConfigError for
 * any other text.
 */
export function rollbackTarget(text: string | undefined): RollbackTarget {
  if (text === undefined) return { kind: 'previous' };
  if (/^[1-9]\d{0,9}$/.test(text)) return { kind: 'sequence', sequence: Number(text) };
  if (isReleaseId(text) || /^sha256-[0-9a-f]{12,63}$/.test(text)) return { kind: 'release', id: text };
  throw new ConfigError(
    'usage',
    `--to cannot be ${JSON.stringify(text)}.`,
    'Write the number of a step, or the id of a release with 12 digits of it at least.',
  );
}
