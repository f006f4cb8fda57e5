import { runCommandLine } from '../../src/cli/run.ts';
import type { Output, Shell } from '../../src/cli/shell.ts';
import type { Mount } from '../../src/host/mountinfo.ts';
import type { ServerPort } from '../../src/server/server-port.ts';
import { environment } from '../config/host-environment.ts';

export interface RecordedShell extends Shell {
  /** What was written so far. */
  readonly said: { out: string; err: string };
}

/** A shell without terminal, mounts or server. Its clock advances only while a command waits. */
export function recordedShell(changes: Partial<Shell> = {}): RecordedShell {
  const said = { out: '', err: '' };
  let now = 0;
  let effect: string | undefined;
  return {
    out: recordingOutput((text) => {
      said.out += text;
    }),
    err: recordingOutput((text) => {
      said.err += text;
    }),
    environment: environment(),
    self: ['node', 'main.js'],
    daemon: undefined,
    get effect() {
      return effect;
    },
    tookEffect: (sentence) => {
      effect = sentence;
    },
    now: () => now,
    wallClock: () => Date.parse('2026-01-01T00:01:00.000Z'),
    delay: async (milliseconds) => {
      now += milliseconds;
    },
    readMounts: () => [],
    mountStates: () => [],
    isRunning: () => false,
    end: () => undefined,
    socketAddress: (socket) => socket,
    loadServer: async () => fakeServer(),
    supervisorProgram: async () => 'dagmount-supervisor',
    ...changes,
    said,
  };
}

export function recordingOutput(write: (text: string) => void, changes: Partial<Output> = {}): Output {
  return {
    write,
    rewrite: (text) => write(`\r${text}`),
    isTerminal: false,
    colours: false,
    columns: 80,
    lost: new AbortController().signal,
    ...changes,
  };
}

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end. */
export async function ran(args: readonly string[], changes: Partial<Shell> = {}): Promise<Ran> {
  const shell = recordedShell(changes);
  const exitCode = await runCommandLine(args, shell);
  return { exitCode, ...shell.said };
}

/** A server that can do only what a test specifies. */
export function fakeServer(changes: Partial<ServerPort> = {}): ServerPort {
  const unexpected = async (): Promise<never> => {
    throw new Error('the server was not to be asked');
  };
  return {
    serve: unexpected,
    unmount: unexpected,
    clearAfter: unexpected,
    checkDrivers: async () => ({
      used: 'kernel',
      kernel: { file: 'addon.node' },
      fuseNative: undefined,
      driverLimitations: ['1: something'],
    }),
    probeStore: () => {
      throw new Error('the store was not to be asked');
    },
    ...changes,
  };
}

/** A mountinfo entry as the kernel would write it. */
export function mountAt(mountPoint: string, changes: Partial<Mount> = {}): Mount {
  return {
    mountId: 61,
    parentId: 22,
    device: { major: 0, minor: 54 },
    mountPoint,
    options: ['ro', 'nosuid', 'nodev'],
    fsType: 'fuse.dagmount',
    source: 's3://b/p/',
    superOptions: ['ro', 'user_id=1000', 'group_id=1001'],
    ...changes,
  };
}
