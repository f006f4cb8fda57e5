import { ConfigError } from '../../config/config-error.ts';
import { promote } from '../../deploy/move.ts';
import type { RunCommand } from '../shell.ts';
import { exactly, type MoveCommand, runMove } from './move.ts';

const command: MoveCommand = {
  name: 'promote',
  takesTarget: false,
  read: (positionals) => {
    exactly(positionals, 2, 'promote FROM TO');
    const [from = '', environment = ''] = positionals;
    if (from === environment) {
      throw new ConfigError(
        'usage',
        `Environment ${from} cannot be promoted to itself.`,
        'Usage: dagmount promote FROM TO, as in dagmount promote staging production.',
      );
    }
    return { environment, from, message: `Promote ${from}`, take: (options) => promote(from, options) };
  },
};

export const run: RunCommand = (args, shell) => runMove(command, args, shell);
