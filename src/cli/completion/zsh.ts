import { MOUNT_POINTS } from './bash.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  dynamicArgument,
  fixedArgument,
} from './completed-commands.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const described = commands.flatMap(({ name, aliases, summary }) =>
    [name, ...aliases].map((each) => `    ${quoted(`${each}:${summary}`)}\n`),
  );
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  return `#compdef dagmount
# zsh completion of dagmount; made by: dagmount completion zsh
_dagmount_candidates() {
  local -a found directories others
  found=(\${(f)"$(dagmount completion --candidates $1 -- "\${(Q)PREFIX}" "\${words[@]}" 2>/dev/null)"})
  directories=(\${(M)found:#*/})
  others=(\${found:#*/})
  compadd -S '' -a directories
  compadd -a others
  (($#found))
}
_dagmount_sockets() { _dagmount_candidates sockets || _files }
_dagmount() {
  local -a commands mounts
  local context state state_descr line
  typeset -A opt_args
  commands=(
${described.join('')}  )
  _arguments -C '(- *)--help[explain dagmount]' '(- *)--version[print the version]' '1: :->command' '*:: :->arguments' && return
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map((command) => branch(command, names)).join('')}      esac
      ;;
  esac
}
if [[ $funcstack[1] == _dagmount ]]; then
  _dagmount "$@"
else
  compdef _dagmount dagmount
fi
`;
}

function branch({ name, aliases, argument, flags }: CompletedCommand, names: readonly string[]): string {
  const specs = [...flags.map(flagSpec), ...argumentSpecs(argument, names)];
  const asksMounts = argument === 'mount-point' || flags.some(({ value }) => value === 'mount-points');
  const before = asksMounts ? `          mounts=("\${(@f)$(${MOUNT_POINTS})}")\n` : '';
  return `        ${[name, ...aliases].join('|')})
${before}          _arguments -S \\
${specs.map((spec) => `            ${spec}`).join(' \\\n')}
          ;;
`;
}

function flagSpec({ flag, help, value, repeats }: CompletedFlag): string {
  // Escapes brackets and colons, because zsh separates the fields of such a specification by them.
  const text = help.replace(/[[\]:\\]/g, '\\$&');
  const many = repeats ? '*' : '';
  return quoted(`${many}${flag}${value === undefined ? '' : '='}[${text}]${actionOf(value)}`);
}

function actionOf(value: CompletedFlag['value']): string {
  if (value === undefined) return '';
  if (value === 'files') return ':file:_files';
  if (value === 'mount-points') return ':mount point:compadd -a mounts';
  if (value === 'sockets') return ':socket:_dagmount_sockets';
  if (value === 'trees') return ':tree: _dagmount_candidates trees';
  if (value === 'directories') return ':directory:_files -/';
  return value === 'nothing' ? ':value: ' : `:value:(${value.join(' ')})`;
}

function argumentSpecs(argument: CompletedCommand['argument'], names: readonly string[]): readonly string[] {
  const dynamic = dynamicArgument(argument);
  if (dynamic !== undefined) {
    // The leading blank keeps zsh from inserting its own options before the argument.
    return [quoted(`*:${dynamic}: _dagmount_candidates ${dynamic}`)];
  }
  const fixed = fixedArgument(argument, names);
  if (fixed !== undefined) return [quoted(`1:${argument}:(${fixed.join(' ')})`)];
  if (argument === 'directory') return [quoted('1:s3 address: '), quoted('2:mount point:_files -/')];
  if (argument === 'deploy-source')
    return [quoted('*:source or environment:{ _dagmount_candidates environments; _files }')];
  return argument === 'mount-point' ? [quoted('1:mount point:compadd -a mounts')] : [];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
