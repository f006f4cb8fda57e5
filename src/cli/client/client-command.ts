import { printableJson, printableName } from '../../base/printable.ts';
import { type Flag, type FlagSpec, parseCommandLine } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { ControlClient } from '../../control/client.ts';
import { exitCodes } from '../exit-codes.ts';
import { failureOf, failureText } from '../failure.ts';
import { type Paints, paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { socketsOf } from './running-daemons.ts';
import { shownAnswer } from './shown-answer.ts';

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
  /** Throws what is wrong with the command line, before anybody is asked. */
  readonly check?: (given: Given) => void;
  readonly ask: (client: ControlClient, given: Given, shell: Shell) => Promise<T>;
  /** For people; what it is given is cleaned already. */
  readonly show: (answer: T, showing: Showing) => string;
  /** Where it is not 0. */
  readonly exitCode?: (answer: T, given: Given) => number;
  /** What several answers say together, where that is more than one after another. */
  readonly compare?: (answered: readonly Answered<T>[], showing: Showing) => Promise<Compared>;
}

export interface Answered<T> {
  readonly socket: string;
  readonly client: ControlClient;
  readonly answer: T;
}

/** What is said of several daemons. */
export interface Compared {
  /** For people: all that is said of those that answered. */
  readonly text: string;
  /** For --json: what is added to each answer, in the order of the answers. */
  readonly members: readonly object[];
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
    const given = givenOf(args, command);
    command.check?.(given);
    const sockets = socketsGiven(given, shell);
    const [only, ...more] = sockets;
    if (only !== undefined && more.length === 0) return await askOne(command, only, given, shell);
    return await askAll(command, sockets, given, shell);
  };
}

/** Throws ConfigError `usage`. */
export function givenOf(
  args: readonly string[],
  command: Pick<ClientCommand<never>, 'name' | 'flags' | 'arguments'>,
): Given {
  const given = parseCommandLine(args, [...commonFlags, ...(command.flags ?? [])], command.name);
  const tooMany = given.positionals[command.arguments ?? 0];
  if (tooMany === undefined) return given;
  throw new ConfigError(
    'usage',
    `There is an argument too many: ${tooMany}.`,
    `See dagmount help ${command.name}.`,
  );
}

/** The sockets of the daemons that are meant. Throws CommandError. */
export function socketsGiven(given: Given, shell: Shell): readonly string[] {
  return socketsOf({ sockets: valuesOf(given, 'socket'), mount: valuesOf(given, 'mount').at(-1) }, shell);
}

/** For a command that goes on for a while, with one daemon. Throws ConfigError or CommandError. */
export function oneSocket(given: Given, shell: Shell, command: string): string {
  const [only, ...more] = socketsGiven(given, shell);
  if (only !== undefined && more.length === 0) return only;
  throw new ConfigError(
    'usage',
    `dagmount ${command} follows one daemon, and several sockets are named.`,
    'Name one, and run it once for each.',
  );
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
  const answer = await command.ask(new ControlClient(socket), given, shell);
  if (isGiven(given, 'json')) shell.out.write(`${printableJson(JSON.stringify(answer, undefined, 2))}\n`);
  else shell.out.write(command.show(shownAnswer(answer), showing(given, shell)));
  return command.exitCode?.(answer, given) ?? exitCodes.ok;
}

async function askAll<T>(
  command: ClientCommand<T>,
  sockets: readonly string[],
  given: Given,
  shell: Shell,
): Promise<number> {
  const asksJson = isGiven(given, 'json');
  const clients = sockets.map((socket) => new ControlClient(socket));
  const outcomes = await Promise.allSettled(clients.map((client) => command.ask(client, given, shell)));
  const answered = outcomes.flatMap((outcome, at) =>
    outcome.status === 'fulfilled'
      ? [{ socket: sockets[at] as string, client: clients[at] as ControlClient, answer: outcome.value }]
      : [],
  );
  const compared = await command.compare?.(answered, showing(given, shell));
  if (!asksJson) shell.out.write(compared?.text ?? textOf(command, answered, given, shell));
  const codes: number[] = [];
  const documents: object[] = [];
  let at = 0;
  outcomes.forEach((outcome, index) => {
    const socket = sockets[index] as string;
    if (outcome.status === 'fulfilled') {
      codes.push(command.exitCode?.(outcome.value, given) ?? exitCodes.ok);
      documents.push({ socket, ...(outcome.value as object), ...compared?.members[at] });
      at += 1;
      return;
    }
    const failure = failureOf(outcome.reason);
    const { code, message, exitCode } = failure;
    codes.push(exitCode);
    documents.push({ socket, error: { code: code ?? 'internal', message } });
    shell.err.write(failureText(failure, false));
  });
  if (asksJson) shell.out.write(`${printableJson(JSON.stringify(documents, undefined, 2))}\n`);
  return codes.find((code) => code !== exitCodes.ok) ?? exitCodes.ok;
}

function textOf<T>(
  command: ClientCommand<T>,
  answered: readonly Answered<T>[],
  given: Given,
  shell: Shell,
): string {
  const { paints } = showing(given, shell);
  return answered
    .map(({ socket, answer }) => {
      const shown = command.show(shownAnswer(answer), showing(given, shell));
      return `${paints.bold(printableName(socket))}\n${shown}`;
    })
    .join('\n');
}

function showing(given: Given, shell: Shell): Showing {
  return { paints: paintsFor(shell.out), now: shell.wallClock(), given };
}
