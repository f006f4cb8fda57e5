import { setTimeout as delay } from 'node:timers/promises';
import { environmentOfProcess, type HostEnvironment } from '../config/host-environment.ts';
import { type MountState, readMountStates, type UnreadableState } from '../host/mount-state.ts';
import { readMounts } from '../host/mountinfo.ts';
import { nodeCommand } from '../host/node-command.ts';
import { type PinnedSocket, pinSocket } from '../host/pinned-socket.ts';
import { isRunning, signalProcess } from '../host/process.ts';
import { runtimeDirectoriesOf, runtimeDirectory } from '../host/runtime-paths.ts';
import type { ServerPort } from '../server/server-port.ts';
import { CommandError } from './command-error.ts';
import { DaemonChannel } from './daemon-channel.ts';
import { loadSupervisor } from './load-supervisor.ts';
import { forTerminal } from './paint.ts';
import type { Output, Shell } from './shell.ts';
import { takeSupervisorLink } from './supervisor-link.ts';
import { requestedIn, takeWorkingDirectory } from './working-directory.ts';

const NARROWEST = 80;

/** Creates the Shell through which the commands of this process use the host. */
export function processShell(loadServer: () => Promise<ServerPort>): Shell {
  const daemon = DaemonChannel.take(process.env);
  const directory = takeWorkingDirectory(process.env);
  const supervisor = takeSupervisorLink(process.env, {
    ...daemon?.environment,
    ...(directory !== undefined && requestedIn(directory)),
  });
  const environment = environmentOfProcess(directory);
  const [, entry = ''] = process.argv;
  /**
   * The pinned socket of another user. It stays pinned until the next call of socketAddress(), because the
   * caller connects right after the call.
   */
  let held: PinnedSocket | undefined;
  let effect: string | undefined;
  return {
    out: outputOf(process.stdout, environment.env, reportLostResults),
    err: outputOf(process.stderr, environment.env, ignoreLostWords),
    environment,
    self: [...nodeCommand(), entry],
    daemon,
    supervisor,
    get effect() {
      return effect;
    },
    tookEffect: (sentence) => {
      effect = sentence;
    },
    now: () => performance.now(),
    wallClock: () => Date.now(),
    delay: (milliseconds, signal) => pause(milliseconds, signal),
    readMounts: () => readMounts(),
    mountStates: (others, onUnreadable) => mountStates(environment, others, onUnreadable),
    isRunning,
    end: (id, owner) => void signalProcess(id, 'SIGTERM', owner),
    socketAddress: (socket, owner) => {
      if (owner === undefined || owner === environment.uid) return socket;
      const before = held;
      held = pinSocket(socket, owner);
      before?.close();
      return held.address;
    },
    loadServer,
    supervisorProgram: async () => (await loadSupervisor()).supervisorProgram(),
  };
}

type OnError = (error: NodeJS.ErrnoException) => void;

/** Ignores a failure to write to stderr, so that a mount continues although its log cannot be written. */
const ignoreLostWords: OnError = (error) => {
  if (error.code === undefined) throw error;
};

/** Throws CommandError if stdout cannot be written, unless the reader of stdout has closed the pipe. */
const reportLostResults: OnError = (error) => {
  if (error.code === 'EPIPE') return;
  throw new CommandError(
    'output-failed',
    `The output could not be written (${error.code}).`,
    'Free space on the disk that the output goes to.',
    error,
  );
};

function outputOf(stream: NodeJS.WriteStream, env: HostEnvironment['env'], onError: OnError): Output {
  const isTerminal = stream.isTTY === true && env.TERM !== 'dumb';
  const lost = new AbortController();
  stream.on('error', (error) => {
    lost.abort();
    onError(error);
  });
  return {
    write: (text) => {
      stream.write(forTerminal(text));
    },
    rewrite: (text) => {
      stream.write(`\r${forTerminal(text)}`);
    },
    isTerminal,
    colours: isTerminal && (env.NO_COLOR ?? '') === '',
    get columns() {
      // A width of 0 means that the terminal does not report its width.
      return stream.columns || NARROWEST;
    },
    lost: lost.signal,
  };
}

/**
 * Reads the states of this user's mounts and, if this user is root, those of the users in `others`. In the
 * runtime directories of another user, skips entries that do not belong to that user.
 */
function mountStates(
  environment: HostEnvironment,
  others: readonly number[],
  onUnreadable?: (unreadable: UnreadableState) => void,
): readonly MountState[] {
  const { uid } = environment;
  const own = readMountStates(runtimeDirectory(environment), uid, onUnreadable);
  if (uid !== 0) return own;
  const theirs = others
    .filter((other) => other !== uid)
    .flatMap((other) =>
      runtimeDirectoriesOf(other).flatMap((each) => readMountStates(each, other, onUnreadable)),
    );
  return [...own, ...theirs];
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
