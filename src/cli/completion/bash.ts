import {
  type CompletedCommand,
  type CompletedFlag,
  dynamicArgument,
  fixedArgument,
} from './completed-commands.ts';

/** A shell command that prints the mount points of dagmounts, encoded as in /proc/self/mountinfo. */
export const MOUNT_POINTS = "awk '/ - fuse[.]dagmount / { print $5 }' /proc/self/mountinfo 2>/dev/null";

const MOUNT_POINT_WORDS = `mapfile -t COMPREPLY < <(compgen -W "$(${MOUNT_POINTS})" -- "$current")`;

/**
 * A shell command that completes sockets of running daemons. If no socket matches, it completes files,
 * because a socket may be forwarded from another host.
 */
const SOCKETS = `_dagmount_candidates sockets; ((\${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "$current")`;

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  return `# bash completion of dagmount; made by: dagmount completion bash
_dagmount_candidates() {
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" completion --candidates "$1" -- "\${glued//\\\\/}\${current//\\\\/}" "\${COMP_WORDS[@]:1}" 2>/dev/null)
  # Readline has a word end at each colon, and keeps what stands before it.
  COMPREPLY=("\${COMPREPLY[@]#"\${glued//\\\\/}"}")
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
_dagmount() {
  local word command='' glued='' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at=$COMP_CWORD
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [[ $current == : ]]; then
    glued=: current=''
  fi
  while ((at > 1)) && [[ $glued == :* || \${COMP_WORDS[at-1]} == : ]]; do
    ((at--))
    glued=\${COMP_WORDS[at]}$glued
  done
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
  if (value === 'sockets') return SOCKETS;
  if (value === 'trees') return '_dagmount_candidates trees';
  if (value === 'directories') return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
  return value === undefined || value === 'nothing' ? ':' : words(value);
}

function argumentOf(argument: CompletedCommand['argument'], names: readonly string[]): string {
  const dynamic = dynamicArgument(argument);
  if (dynamic !== undefined) return `_dagmount_candidates ${dynamic}`;
  const fixed = fixedArgument(argument, names);
  if (fixed !== undefined) return words(fixed);
  if (argument === 'directory') return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
  if (argument === 'deploy-source')
    return `_dagmount_candidates environments; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")`;
  return argument === 'mount-point' ? MOUNT_POINT_WORDS : ':';
}

function words(choices: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$current")`;
}
