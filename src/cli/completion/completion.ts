import { parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import { shells } from '../commands.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunCommand } from '../shell.ts';
import { bashCompletion } from './bash.ts';
import { completedCommands } from './completed-commands.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export const run: RunCommand = async (args, shell) => {
  const [name = '', ...more] = parseCommandLine(args, [], 'completion').positionals;
  const wanted = shells.find((each) => each === name);
  if (wanted === undefined || more.length > 0) {
    const meant = nearest(name, shells);
    throw new ConfigError(
      'usage',
      'What to complete for is missing or unknown: bash, zsh or fish.',
      `${meant === undefined ? '' : `Did you mean ${meant}? `}See dagmount help completion.`,
    );
  }
  shell.out.write(scripts[wanted](completedCommands()));
  return exitCodes.ok;
};
