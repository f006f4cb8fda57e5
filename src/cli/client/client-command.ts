import { type Flag, type FlagSpec, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { ControlClient } from '../../control/client.ts';
import { exitCodes } from '../exit-codes.ts';
import { failureOf, failureText } from '../failure.ts';
import { type Paints, paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { socketsOf } from './running-daemons.ts';

/** What a client command was given, besides which daemon is meant. */
export interface Given {
  readonly flags: readonly Flag[];
  readonly positionals: readonly string[];
}

export interface Showing {
  readonly paints: Paints;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly given: Given;
}

/** A command that asks a daemon for one document. */
export interface ClientCommand<T> {
  readonly name: string;
  /** Of its own. */
  readonly flags?: readonly FlagSpec[];
  /** Most arguments that it takes. */
  readonly arguments?: number;
  readonly ask: (client: ControlClient, given: Given) => Promise<T>;
  /** For people. */
  readonly show: (answer: T, showing: Showing) => string;
  /** Where it is not 0. */
  readonly exitCode?: (answer: T, given: Given) => number;
}

/** What every client command takes. */
const commonFlags: readonly FlagSpec[] = [
  { name: 'socket', takesValue: true },
  { name: 'mount', takesValue: true },
  { name: 'json', takesValue: false },
];

/** With several sockets each is asked, whatever becomes of the others; the first failure gives the exit code. */
export function clientCommand<T>(command: ClientCommand<T>): RunCommand {
  return async (args, shell) => {
    const given = parseCommandLine(args, [...commonFlags, ...(command.flags ?? [])], command.name);
    const tooMany = given.positionals[command.arguments ?? 0];
    if (tooMany !== undefined) {
      throw new ConfigError(
        'usage',
        `There is an argument too many: ${tooMany}.`,
        `See dagmount help ${command.name}.`,
      );
    }
    const sockets = socketsOf(
      { sockets: valuesOf(given, 'socket'), mount: valuesOf(given, 'mount').at(-1) },
      shell,
    );
    const [only, ...more] = sockets;
    if (only !== undefined && more.length === 0) return await askOne(command, only, given, shell);
    return await askAll(command, sockets, given, shell);
  };
}

export function valuesOf({ flags }: Given, name: string): readonly string[] {
  return flags.flatMap((flag) => (flag.name === name && flag.value !== undefined ? [flag.value] : []));
}

export function isGiven({ flags }: Given, name: string): boolean {
  return flags.some((flag) => flag.name === name);
}

async function askOne<T>(
  command: ClientCommand<T>,
  socket: string,
  given: Given,
  shell: Shell,
): Promise<number> {
  const answer = await command.ask(new ControlClient(socket), given);
  if (isGiven(given, 'json')) shell.out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  else shell.out.write(command.show(answer, showing(given, shell)));
  return command.exitCode?.(answer, given) ?? exitCodes.ok;
}

async function askAll<T>(
  command: ClientCommand<T>,
  sockets: readonly string[],
  given: Given,
  shell: Shell,
): Promise<number> {
  const answers = await Promise.allSettled(
    sockets.map((socket) => command.ask(new ControlClient(socket), given)),
  );
  const codes: number[] = [];
  const documents: object[] = [];
  answers.forEach((answer, at) => {
    const socket = sockets[at] as string;
    const { paints } = showing(given, shell);
    if (answer.status === 'fulfilled') {
      codes.push(command.exitCode?.(answer.value, given) ?? exitCodes.ok);
      documents.push({ socket, ...(answer.value as object) });
      if (isGiven(given, 'json')) return;
      shell.out.write(`${at === 0 ? '' : '\n'}${paints.bold(socket)}\n`);
      shell.out.write(command.show(answer.value, showing(given, shell)));
      return;
    }
    const failure = failureOf(answer.reason);
    const { code, message, exitCode } = failure;
    codes.push(exitCode);
    documents.push({ socket, error: { code: code ?? 'internal', message } });
    shell.err.write(failureText(failure, false));
  });
  if (isGiven(given, 'json')) shell.out.write(`${JSON.stringify(documents, undefined, 2)}\n`);
  return codes.find((code) => code !== exitCodes.ok) ?? exitCodes.ok;
}

function showing(given: Given, shell: Shell): Showing {
  return { paints: paintsFor(shell.out), now: shell.wallClock(), given };
}
