import { rollback } from '../../deploy/move.ts';
import type { RunCommand } from '../shell.ts';
import { exactly, type MoveCommand, rollbackTarget, runMove } from './move.ts';

const command: MoveCommand = {
  name: 'rollback',
  takesTarget: true,
  read: (positionals, to) => {
    exactly(positionals, 1, 'rollback ENV [--to SEQ|ID]');
    const [environment = ''] = positionals;
    const target = rollbackTarget(to);
    const words =
      target.kind === 'previous'
        ? 'what was shown before'
        : target.kind === 'sequence'
          ? `step ${target.sequence}`
          : target.id;
    return {
      environment,
      from: undefined,
      message: `Roll back to ${words}`,
      take: (options) => rollback(target, options),
    };
  },
};

export const run: RunCommand = (args, shell) => runMove(command, args, shell);
