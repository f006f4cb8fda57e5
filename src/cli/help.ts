import { ownPackage } from '../base/own-package.ts';
import { parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { nearest } from '../config/nearest.ts';
import type { CommandFlag, CommandSpec } from './command-spec.ts';
import { commandNames, commands, findCommand } from './commands.ts';
import { exitCodeMeanings, exitCodes } from './exit-codes.ts';
import { wrapped } from './format.ts';
import { type Paints, paintsFor } from './paint.ts';
import type { RunCommand, Shell } from './shell.ts';

const WIDTH = 90;

/** The commands that take options of the schema. */
const WITH_OPTIONS: ReadonlySet<CommandSpec['name']> = new Set([
  'mount',
  'doctor',
  'deploy',
  'promote',
  'rollback',
  'releases',
  'release',
]);

export const run: RunCommand = async (args, shell) => {
  const [name] = parseCommandLine(args, [], 'help').positionals;
  if (name === undefined) {
    shell.out.write(overview(paintsFor(shell.out)));
    return exitCodes.ok;
  }
  const command = findCommand(name);
  if (command === undefined) throw unknownCommand(name);
  await showHelp(command, shell);
  return exitCodes.ok;
};

export async function showHelp(command: CommandSpec, shell: Shell): Promise<void> {
  const paints = paintsFor(shell.out);
  const sections = [
    `${paints.bold(`dagmount ${command.name}`)}: ${command.summary}\n`,
    usage(command, paints),
    ...command.description.map((paragraph) => wrapped(paragraph, WIDTH, '')),
  ];
  if (WITH_OPTIONS.has(command.name)) {
    // Imported only here, because this module loads the schema of options, which other commands do not need.
    const { optionsHelp } = await import('./options-help.ts');
    sections.push(optionsHelp(command, paints, WIDTH));
  } else if (command.flags.length > 0) {
    sections.push(`${paints.bold('Options')}\n${flagsHelp(command)}`);
  }
  if (command.examples.length > 0) sections.push(examples(command, paints));
  sections.push(exitCodesHelp(paints), documentation());
  shell.out.write(sections.join('\n'));
}

export function unknownCommand(name: string): ConfigError {
  const meant = nearest(name, commandNames());
  const hint = meant === undefined ? '' : `Did you mean dagmount ${meant}? `;
  return new ConfigError('usage', `There is no command ${name}.`, `${hint}See dagmount help.`);
}

/** A short usage text, shown if dagmount is called without a command. */
export function overview(paints: Paints): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary, aliases }) => {
    const also = aliases.length === 0 ? '' : ` (also: ${aliases.join(', ')})`;
    return `  ${name.padEnd(width)}  ${summary}${also}\n`;
  });
  return [
    `${paints.bold('dagmount')} presents an S3 prefix of Airflow DAG files as a read-only directory.\n`,
    `${paints.bold('Usage')}\n  dagmount COMMAND [arguments] [options]\n`,
    `${paints.bold('Commands')}\n${lines.join('')}`,
    `${paints.bold('Try')}\n  dagmount help mount        every option, its default and its variable\n  dagmount doctor s3://…     what is missing for a mount here\n`,
    documentation(),
  ].join('\n');
}

function usage(command: CommandSpec, paints: Paints): string {
  const names = [command.name, ...command.aliases];
  const lines = names.map((name) => `  ${`dagmount ${name} ${command.usage}`.trimEnd()}\n`);
  return `${paints.bold('Usage')}\n${lines.join('')}`;
}

export function flagsHelp(command: CommandSpec): string {
  const all: readonly CommandFlag[] = [...command.flags, { name: 'help', help: 'Print this' }];
  return all
    .map(({ name, help, placeholder, repeats = false }) => {
      const value = placeholder === undefined ? '' : ` ${placeholder}${repeats ? ' …' : ''}`;
      return `  --${name}${value}\n      ${help}.\n`;
    })
    .join('');
}

function examples(command: CommandSpec, paints: Paints): string {
  const lines = command.examples.map((each) => `  ${paints.dim(`# ${each.does}`)}\n  ${each.command}\n`);
  return `${paints.bold('Examples')}\n${lines.join('')}`;
}

function exitCodesHelp(paints: Paints): string {
  const lines = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(2)}  ${meaning}\n`);
  return `${paints.bold('Exit codes')}\n${lines.join('')}`;
}

function documentation(): string {
  return `Documentation: ${ownPackage().directory}/docs\n`;
}
