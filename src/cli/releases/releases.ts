import { isGiven, lastValue, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { noRelease } from '../../deploy/environments.ts';
import { readHistory } from '../../deploy/history.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatJson } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { RunCommand } from '../shell.ts';
import { exactly } from './move.ts';
import { findProject } from './project-file.ts';
import { openRoot, ROOT_FLAGS, rootAddress } from './release-root.ts';
import { runInterruptibly } from './run-interruptibly.ts';
import { signersOf } from './signers.ts';
import { auditedDocument, historyText } from './step-text.ts';

const MOST_STEPS = 20;
const FLAGS = [
  ...ROOT_FLAGS,
  { name: 'limit', takesValue: true },
  { name: 'allowed-signers', takesValue: true },
];

/** Lists and audits the last steps of an environment. Exits with 1 if the audit finds a flaw. */
export const run: RunCommand = (args, shell) =>
  runInterruptibly(async (signal) => {
    const { flags, positionals } = parseCommandLine(args, FLAGS, 'releases');
    exactly(positionals, 1, 'releases ENV');
    const [environment = ''] = positionals;
    const project = findProject(shell.environment.workingDirectory);
    const address = rootAddress(flags, environment, project, shell);
    const most = limitOf(lastValue(flags, 'limit'));
    const signers = signersOf(lastValue(flags, 'allowed-signers') ?? project?.signers);
    const root = await openRoot(address, flags, shell);
    try {
      const { store, concurrency } = root;
      const steps = await readHistory({ store, environment, most, signers, concurrency, signal });
      // Fails if there is no step, because the audit of a misspelt name, or of a root that was emptied, must
      // not look like a good one.
      if (steps.length === 0) throw await noRelease(store, environment, signal);
      if (isGiven(flags, 'json')) {
        shell.out.write(formatJson(steps.map(auditedDocument)));
      } else {
        shell.out.write(historyText(steps, root.now(), paintsFor(shell.out)));
      }
      return steps.some(({ flaws }) => flaws.length > 0) ? 1 : exitCodes.ok;
    } finally {
      await root.close();
    }
  });

function limitOf(text: string | undefined): number {
  if (text === undefined) return MOST_STEPS;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new ConfigError(
    'usage',
    `--limit cannot be ${JSON.stringify(text)}.`,
    'Write a number from 1 to 99999.',
  );
}
