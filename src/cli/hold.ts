import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { lastValue, parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadSupervisor } from './load-supervisor.ts';
import type { RunCommand } from './shell.ts';

const HINT = 'Usage: dagmount hold --socket PATH.';

export const run: RunCommand = async (args, shell) => {
  const { flags, positionals } = parseCommandLine(args, [{ name: 'socket', takesValue: true }], 'hold');
  const socket = lastValue(flags, 'socket');
  if (!socket) throw new ConfigError('usage', 'The socket is missing.', HINT);
  if (positionals.length > 0) {
    throw new ConfigError('usage', `There is one argument too many: ${positionals[0]}.`, HINT);
  }
  const path = resolve(shell.environment.workingDirectory, socket);
  // Ignores a failure here, because the holder then cannot listen at this path, and reports that.
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
  return (await loadSupervisor()).becomeHolder(path);
};
