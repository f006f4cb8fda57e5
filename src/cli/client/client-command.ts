import { printableName } from '../../base/printable.ts';
import {
  type Flag,
  type FlagSpec,
  isGiven,
  lastValue,
  parseCommandLine,
  valuesOf,
} from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import { unintelligible } from '../../control/client-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { failureOf, failureText } from '../failure.ts';
import { formatJson } from '../format.ts';
import { type Paints, paintsFor } from '../paint.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { clientsOf } from './running-daemons.ts';
import { shownAnswer } from './shown-answer.ts';
import { whichTreeError } from './tree-path.ts';

/** The parsed arguments of a client command, with the flags that select the daemon. */
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
  /** The command's own flags. */
  readonly flags?: readonly FlagSpec[];
  /**
   * Whether the command is about a tree. If so, it accepts --tree, which names the tree if the mount shows
   * several.
   */
  readonly isOfTree?: boolean;
  /** The maximum number of arguments. */
  readonly arguments?: number;
  /** Throws if the command line is invalid. Called before the command sends a request to any daemon. */
  readonly check?: (given: Given) => void;
  readonly ask: (client: ControlClient, given: Given, shell: Shell) => Promise<T>;
  /** Formats the answer for people. The control characters in the answer are escaped already. */
  readonly show: (answer: T, showing: Showing) => string;
  /** Returns the exit code for the answer. Without this function, the exit code is 0. */
  readonly exitCode?: (answer: T, given: Given) => number;
  /**
   * Compares the answers of several daemons in one text. Without this function, the command prints the text
   * of each answer.
   */
  readonly compare?: (answered: readonly Answered<T>[], showing: Showing) => Promise<Compared>;
}

export interface Answered<T> {
  readonly socket: string;
  readonly client: ControlClient;
  readonly answer: T;
}

/** An answer with its text for people. */
interface Understood<T> extends Answered<T> {
  readonly text: string;
}

/** The output for several daemons. */
export interface Compared {
  /** For people: the text for all daemons that answered. */
  readonly text: string;
  /** For --json: what is added to each answer, in the order of the answers. */
  readonly members: readonly object[];
}

/** The flags of every client command. */
const commonFlags: readonly FlagSpec[] = [
  { name: 'socket', takesValue: true },
  { name: 'mount', takesValue: true },
  { name: 'json', takesValue: false },
];
const treeFlag: FlagSpec = { name: 'tree', takesValue: true };

/**
 * Creates the function that runs a client command. If several sockets are given, the function asks each
 * daemon, even after another daemon has failed. It then returns the first exit code that is not 0, in the
 * order of the sockets.
 */
export function clientCommand<T>(command: ClientCommand<T>): RunCommand {
  return async (args, shell) => {
    const given = givenOf(args, command);
    command.check?.(given);
    const clients = clientsGiven(given, shell);
    const [only, ...more] = clients;
    if (only !== undefined && more.length === 0) return await askOne(command, only, given, shell);
    return await askAll(command, clients, given, shell);
  };
}

/** Parses the arguments of a client command. Throws ConfigError `usage` if they are invalid. */
export function givenOf(
  args: readonly string[],
  command: Pick<ClientCommand<never>, 'name' | 'flags' | 'arguments' | 'isOfTree'>,
): Given {
  const ofTree = command.isOfTree === true ? [treeFlag] : [];
  const given = parseCommandLine(args, [...commonFlags, ...ofTree, ...(command.flags ?? [])], command.name);
  const tooMany = given.positionals[command.arguments ?? 0];
  if (tooMany === undefined) return given;
  throw new ConfigError(
    'usage',
    `There is one argument too many: ${tooMany}.`,
    `See dagmount help ${command.name}.`,
  );
}

/**
 * Returns a client for each selected daemon. Throws CommandError if no daemon matches, or if several run and
 * the command line selects none of them.
 */
function clientsGiven(given: Given, shell: Shell): readonly ControlClient[] {
  const clients = clientsOf(
    { sockets: valuesOf(given.flags, 'socket'), mount: lastValue(given.flags, 'mount') },
    shell,
  );
  const tree = lastValue(given.flags, 'tree');
  return tree === undefined ? clients : clients.map((client) => client.inTree(tree));
}

/**
 * Returns the client for a command that follows one daemon continuously. Throws ConfigError if several
 * sockets are given, and CommandError in the same cases as clientsGiven().
 */
export function oneClient(given: Given, shell: Shell, command: string): ControlClient {
  const [only, ...more] = clientsGiven(given, shell);
  if (only !== undefined && more.length === 0) return only;
  throw new ConfigError(
    'usage',
    `dagmount ${command} follows one daemon, and several sockets are named.`,
    'Name one, and run it once for each.',
  );
}

async function askOne<T>(
  command: ClientCommand<T>,
  client: ControlClient,
  given: Given,
  shell: Shell,
): Promise<number> {
  const { answer, text } = await understood(command, client, given, shell);
  shell.out.write(isGiven(given.flags, 'json') ? formatJson(answer) : text);
  return command.exitCode?.(answer, given) ?? exitCodes.ok;
}

/**
 * Asks one daemon, and formats the answer. A TypeError or RangeError means that the answer does not have the
 * expected shape, and so is not from dagmount: a program of another user may listen on the socket.
 */
async function understood<T>(
  command: ClientCommand<T>,
  client: ControlClient,
  given: Given,
  shell: Shell,
): Promise<Understood<T>> {
  try {
    const answer = await command.ask(client, given, shell).catch(async (error: unknown) => {
      throw (command.isOfTree === true && (await whichTreeError(client, error))) || error;
    });
    const text = command.show(shownAnswer(answer), showing(given, shell));
    return { socket: client.socket, client, answer, text };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw unintelligible(client.socket, error);
    throw error;
  }
}

async function askAll<T>(
  command: ClientCommand<T>,
  clients: readonly ControlClient[],
  given: Given,
  shell: Shell,
): Promise<number> {
  const asksJson = isGiven(given.flags, 'json');
  const outcomes = await Promise.allSettled(
    clients.map((client) => understood(command, client, given, shell)),
  );
  const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const compared = await command.compare?.(answered, showing(given, shell));
  if (!asksJson) shell.out.write(compared?.text ?? textOf(answered, shell));
  const codes: number[] = [];
  const documents: object[] = [];
  let at = 0;
  outcomes.forEach((outcome, index) => {
    const { socket } = clients[index] as ControlClient;
    if (outcome.status === 'fulfilled') {
      codes.push(command.exitCode?.(outcome.value.answer, given) ?? exitCodes.ok);
      documents.push({ socket, ...(outcome.value.answer as object), ...compared?.members[at] });
      at += 1;
      return;
    }
    const failure = failureOf(outcome.reason);
    const { code, message, exitCode } = failure;
    codes.push(exitCode);
    documents.push({ socket, error: { code: code ?? 'internal', message } });
    shell.err.write(failureText(failure, false));
  });
  if (asksJson) shell.out.write(formatJson(documents));
  return codes.find((code) => code !== exitCodes.ok) ?? exitCodes.ok;
}

function textOf(answered: readonly Understood<unknown>[], shell: Shell): string {
  const paints = paintsFor(shell.out);
  return answered.map(({ socket, text }) => `${paints.bold(printableName(socket))}\n${text}`).join('\n');
}

function showing(given: Given, shell: Shell): Showing {
  return { paints: paintsFor(shell.out), now: shell.wallClock(), given };
}
