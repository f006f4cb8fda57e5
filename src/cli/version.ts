import { ownPackage } from '../base/own-package.ts';
import { parseCommandLine } from '../config/command-line.ts';
import { exitCodes } from './exit-codes.ts';
import type { RunCommand } from './shell.ts';

export const run: RunCommand = async (args, shell) => {
  parseCommandLine(args, [], 'version');
  shell.out.write(`dagmount ${ownPackage().version}\n`);
  return exitCodes.ok;
};
