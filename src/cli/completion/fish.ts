import { MOUNT_POINTS } from './bash.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  dynamicArgument,
  fixedArgument,
} from './completed-commands.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  return `# fish completion of dagmount; made by: dagmount completion fish
function __dagmount_is
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; and continue
        contains -- $word $argv
        return
    end
    return 1
end
function __dagmount_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    $words[1] completion --candidates $argv[1] -- "$current" $words[2..-1] 2>/dev/null
end
function __dagmount_sockets
    set -l found (__dagmount_candidates sockets)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c dagmount -f
complete -c dagmount -n __fish_use_subcommand -l help -d 'Explain dagmount'
complete -c dagmount -n __fish_use_subcommand -l version -d 'Print the version'
${commands.map((command) => linesOf(command, names)).join('')}`;
}

function linesOf(command: CompletedCommand, names: readonly string[]): string {
  const own = [command.name, ...command.aliases];
  const seen = `complete -c dagmount -n ${quoted(`__dagmount_is ${own.join(' ')}`)}`;
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
  if (value === 'sockets') return `${long} -x -a '(__dagmount_sockets)'`;
  if (value === 'trees') return `${long} -x -a '(__dagmount_candidates trees)'`;
  if (value === 'directories') return `${long} -x -a '(__fish_complete_directories)'`;
  return value === 'nothing' ? `${long} -x` : `${long} -x -a ${quoted(value.join(' '))}`;
}

function argumentOf(argument: CompletedCommand['argument'], names: readonly string[]): readonly string[] {
  const dynamic = dynamicArgument(argument);
  if (dynamic !== undefined) return [`-a '(__dagmount_candidates ${dynamic})'`];
  const fixed = fixedArgument(argument, names);
  if (fixed !== undefined) return [`-a ${quoted(fixed.join(' '))}`];
  if (argument === 'directory') return ["-a '(__fish_complete_directories)'"];
  if (argument === 'deploy-source') return ['-F', "-a '(__dagmount_candidates environments)'"];
  return argument === 'mount-point' ? [`-a ${quoted(`(${MOUNT_POINTS})`)}`] : [];
}

/** Quotes a text for fish, which has two escapes within single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
