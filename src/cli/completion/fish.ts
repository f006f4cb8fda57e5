import { shells } from '../commands.ts';
import { MOUNT_POINTS } from './bash.ts';
import type { CompletedCommand, CompletedFlag } from './completed-commands.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  return `# fish completion of dagmount; made by: dagmount completion fish
complete -c dagmount -f
complete -c dagmount -n __fish_use_subcommand -l help -d 'Explain dagmount'
complete -c dagmount -n __fish_use_subcommand -l version -d 'Print the version'
${commands.map((command) => linesOf(command, names)).join('')}`;
}

function linesOf(command: CompletedCommand, names: readonly string[]): string {
  const own = [command.name, ...command.aliases];
  const seen = `complete -c dagmount -n ${quoted(`__fish_seen_subcommand_from ${own.join(' ')}`)}`;
  return [
    ...own.map(
      (name) => `complete -c dagmount -n __fish_use_subcommand -a ${name} -d ${quoted(command.summary)}`,
    ),
    ...command.flags.map((flag) => `${seen} ${flagOf(flag)}`),
    ...argumentOf(command.argument, names).map((argument) => `${seen} ${argument}`),
    '',
  ].join('\n');
}

function flagOf({ flag, help, value }: CompletedFlag): string {
  const long = `-l ${flag.slice('--'.length)} -d ${quoted(help)}`;
  if (value === undefined) return long;
  if (value === 'files') return `${long} -r -F`;
  if (value === 'mount-points') return `${long} -x -a ${quoted(`(${MOUNT_POINTS})`)}`;
  if (value === 'directories') return `${long} -x -a '(__fish_complete_directories)'`;
  return value === 'nothing' ? `${long} -x` : `${long} -x -a ${quoted(value.join(' '))}`;
}

function argumentOf(argument: CompletedCommand['argument'], names: readonly string[]): readonly string[] {
  switch (argument) {
    case 'directory':
      return ["-a '(__fish_complete_directories)'"];
    case 'mount-point':
      return [`-a ${quoted(`(${MOUNT_POINTS})`)}`];
    case 'command':
      return [`-a ${quoted(names.join(' '))}`];
    case 'shell':
      return [`-a ${quoted(shells.join(' '))}`];
    case 'nothing':
      return [];
    default:
      throw new Error(`unknown argument: ${String(argument satisfies never)}`);
  }
}

/** In single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
