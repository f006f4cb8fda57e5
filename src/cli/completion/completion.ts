import { type Flag, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import { shells } from '../commands.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunCommand, Shell } from '../shell.ts';

export const run: RunCommand = async (args, shell) => {
  const { flags, positionals } = parseCommandLine(
    args,
    [{ name: 'candidates', takesValue: true }],
    'completion',
  );
  const [asked] = flags;
  if (asked !== undefined) await offer(asked, positionals, shell);
  else shell.out.write(await scriptFor(positionals));
  return exitCodes.ok;
};

/**
 * Prints words that complete the current one, for `--candidates KIND -- CURRENT WORD…`. The completion
 * scripts use this flag; the help does not show it.
 */
async function offer(
  { value }: Flag,
  [current = '', ...words]: readonly string[],
  shell: Shell,
): Promise<void> {
  const { candidateKinds, candidatesText } = await import('./candidates.ts');
  const kind = candidateKinds.find((each) => each === value);
  if (kind === undefined) {
    throw new ConfigError('usage', `There are no candidates ${value}.`, 'Make the completion script again.');
  }
  shell.out.write(await candidatesText(kind, current, words, shell));
}

async function scriptFor([name = '', ...more]: readonly string[]): Promise<string> {
  const wanted = shells.find((each) => each === name);
  if (wanted === undefined || more.length > 0) {
    const meant = nearest(name, shells);
    throw new ConfigError(
      'usage',
      'What to complete for is missing or unknown: bash, zsh or fish.',
      `${meant === undefined ? '' : `Did you mean ${meant}? `}See dagmount help completion.`,
    );
  }
  // Imported only here, because the module loads the schema of options, which would delay each completion.
  const { completedCommands } = await import('./completed-commands.ts');
  const commands = completedCommands();
  switch (wanted) {
    case 'bash':
      return (await import('./bash.ts')).bashCompletion(commands);
    case 'zsh':
      return (await import('./zsh.ts')).zshCompletion(commands);
    case 'fish':
      return (await import('./fish.ts')).fishCompletion(commands);
    default:
      throw new Error(`unknown shell: ${String(wanted satisfies never)}`);
  }
}
