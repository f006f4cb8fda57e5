import { shells } from '../commands.ts';
import type { CompletedCommand, CompletedFlag } from './completed-commands.ts';

/** A mount point as /proc/self/mountinfo has it. */
export const MOUNT_POINTS = "awk '/ - fuse[.]dagmount / { print $5 }' /proc/self/mountinfo 2>/dev/null";

const MOUNT_POINT_WORDS = `mapfile -t COMPREPLY < <(compgen -W "$(${MOUNT_POINTS})" -- "$current")`;

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  return `# bash completion of dagmount; made by: dagmount completion bash
_dagmount() {
  local word command='' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then command=$word; break; fi
  done
  case $command in
    '')
      mapfile -t COMPREPLY < <(compgen -W '${[...names, '--help', '--version'].join(' ')}' -- "$current")
      ;;
${commands.map((command) => branch(command, names)).join('')}  esac
}
complete -o filenames -F _dagmount dagmount
`;
}

function branch({ name, aliases, argument, flags }: CompletedCommand, names: readonly string[]): string {
  const all = flags.map(({ flag }) => flag).join(' ');
  const valued = flags.filter(({ value }) => value !== undefined);
  const values =
    valued.length === 0
      ? ''
      : `      case $previous in
${valued.map((flag) => `        ${flag.flag}) ${completionOf(flag)}; return ;;\n`).join('')}      esac
`;
  return `    ${[name, ...aliases].join('|')})
${values}      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '${all}' -- "$current")
      else
        ${argumentOf(argument, names)}
      fi
      ;;
`;
}

function completionOf({ value }: CompletedFlag): string {
  if (value === 'files') return 'mapfile -t COMPREPLY < <(compgen -f -- "$current")';
  if (value === 'mount-points') return MOUNT_POINT_WORDS;
  if (value === 'directories') return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
  return value === undefined || value === 'nothing' ? ':' : words(value);
}

function argumentOf(argument: CompletedCommand['argument'], names: readonly string[]): string {
  switch (argument) {
    case 'directory':
      return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
    case 'mount-point':
      return MOUNT_POINT_WORDS;
    case 'command':
      return words(names);
    case 'shell':
      return words(shells);
    case 'nothing':
      return ':';
    default:
      throw new Error(`unknown argument: ${String(argument satisfies never)}`);
  }
}

function words(choices: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$current")`;
}
