import { ConfigError } from '../config/config-error.ts';
import type { CommandSpec } from './command-spec.ts';
import { findCommand } from './commands.ts';
import { failureAfter, failureText } from './failure.ts';
import type { Shell } from './shell.ts';

/** Runs a command line. Resolves to the exit code; reports every failure and converts it to an exit code. */
export async function runCommandLine(args: readonly string[], shell: Shell): Promise<number> {
  try {
    return await dispatch(args, shell);
  } catch (error) {
    const failure = failureAfter(error, shell.effect);
    shell.err.write(failureText(failure, asksForStacks(args, shell)));
    // No user reads a daemon's stderr, so the failure is also sent to the command that waits for the daemon.
    shell.daemon?.tell({ kind: 'failed', failure: { ...failure, stack: undefined } });
    return failure.exitCode;
  }
}

async function dispatch(args: readonly string[], shell: Shell): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    throw new ConfigError('usage', 'The command is missing.', 'See dagmount help for all commands.');
  }
  if (name === '--version') return await runCommand('version', rest, shell);
  if (name === '--help' || name === '-h') return await runCommand('help', rest, shell);
  const command = findCommand(name);
  if (command === undefined) {
    const { unknownCommand } = await import('./help.ts');
    throw unknownCommand(name);
  }
  if (asksForHelp(rest)) {
    const { showHelp } = await import('./help.ts');
    await showHelp(command, shell);
    return 0;
  }
  return await load(command, rest, shell);
}

async function runCommand(name: CommandSpec['name'], args: readonly string[], shell: Shell): Promise<number> {
  return await load(findCommand(name) as CommandSpec, args, shell);
}

async function load(command: CommandSpec, args: readonly string[], shell: Shell): Promise<number> {
  const { run } = await command.load();
  return await run(args, shell);
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h');
}

/**
 * Whether --log-level or its variable asks for stack traces, even if the command line is otherwise invalid.
 */
function asksForStacks(args: readonly string[], shell: Shell): boolean {
  const flag = args.map((arg, index) =>
    arg === '--log-level' ? args[index + 1] : arg.split('--log-level=')[1],
  );
  const level = flag.find((each) => each !== undefined) ?? shell.environment.env.DAGMOUNT_LOG_LEVEL;
  return level === 'debug' || level === 'trace';
}
