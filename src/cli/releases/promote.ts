import { promote } from '../../deploy/move.ts';
import type { RunCommand } from '../shell.ts';
import { exactly, type MoveCommand, runMove } from './move.ts';

const command: MoveCommand = {
  name: 'promote',
  read: (positionals) => {
    exactly(positionals, 2, 'promote FROM TO');
    const [from = '', environment = ''] = positionals;
    return { environment, message: `Promote ${from}`, take: (options) => promote(from, options) };
  },
};

export const run: RunCommand = (args, shell) => runMove(command, args, shell);
