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

const NARROWEST = 80;

/** The shell of this process. */
export function processShell(loadServer: () => Promise<ServerPort>): Shell {
  const daemon = DaemonChannel.take(process.env);
  const supervisor = takeSupervisorLink(process.env, daemon?.environment ?? {});
  const environment = environmentOfProcess();
  const [, entry = ''] = process.argv;
  /** Pins the socket until the next call; the caller connects to it at once. */
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

/** A mount does not end because its log cannot be written. */
const ignoreLostWords: OnError = (error) => {
  if (error.code === undefined) throw error;
};

/** Undeliverable output is a failure, unless its reader has closed the pipe. */
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
      // 0: the terminal does not report its width.
      return stream.columns || NARROWEST;
    },
    lost: lost.signal,
  };
}

/** Root may read the runtime directories of other users; entries that do not belong to that user are skipped. */
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
