import { once } from 'node:events';
import { openSync } from 'node:fs';
import { heedEarlySignals } from '../../src/cli/early-signals.ts';
import { startCli } from '../../src/cli/start-cli.ts';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { ServeOptions } from '../../src/server/server-port.ts';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { adoptingSupervisor, parentSupervisor } from '../../src/takeover/supervisor/running-supervisor.ts';
import { SupervisorClient } from '../../src/takeover/supervisor/supervisor-client.ts';
import { says } from '../../src/takeover/supervisor/supervisor-messages.ts';
import { fakeServer } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

/** The command with a server that mounts nothing. The bucket's name selects its behaviour. */
const behaviours: Readonly<Record<string, (options: ServeOptions, config: MountConfig) => Promise<void>>> = {
  ready: async ({ log, onProgress, onReady, onRefreshAsked, onRestartAsked, stop }, { caFile }) => {
    onProgress({ phase: 'listing', totalFiles: 0, totalBytes: 0, pendingFiles: 0, pendingBytes: 0 });
    onProgress({ phase: 'prefetch', totalFiles: 2, totalBytes: 20, pendingFiles: 1, pendingBytes: 10 });
    onReady();
    onProgress({ phase: 'ready', totalFiles: 2, totalBytes: 20, pendingFiles: 0, pendingBytes: 0 });
    onRefreshAsked(() => say(log, 'refreshed'));
    onRestartAsked(() => say(log, 'restarted'));
    say(log, 'ready', {
      cwd: process.cwd(),
      left: Object.keys(process.env).filter(isOurs),
      caFile,
      credentials: process.env.AWS_SHARED_CREDENTIALS_FILE,
    });
    await toldToStop(stop);
    say(log, 'unmounted');
  },
  // Reports a pid: the process that stays is not the one that was started.
  alone: async ({ log, onReady, stop }) => {
    onReady(process.pid);
    await toldToStop(stop);
    say(log, 'unmounted');
  },
  // Becomes ready when it is asked to look for changes.
  asked: async ({ log, onReady, onRefreshAsked, stop }) => {
    onRefreshAsked(onReady);
    say(log, 'listening');
    await toldToStop(stop);
  },
  // Stores a descriptor as that of a mount, and starts another supervisor when the first one is gone.
  kept: async ({ log, onReady, stop, supervisor }, { target, caFile }) => {
    const addon = loadAddon();
    if (supervisor === undefined) throw new Error('no supervisor started this server');
    const client = new SupervisorClient({
      ...supervisor,
      supervisor: parentSupervisor(supervisor, addon),
      startAnother: adoptingSupervisor(supervisor, addon),
      onOrder: () => undefined,
      onOrphaned: () => undefined,
    });
    const connection = supervisor.kept.get('fuse') ?? openSync(target, 'r');
    const keep = (): number => client.send(says.keep('fuse'), connection);
    client.onAnother(() => void keep());
    keep();
    const alive = setInterval(() => client.alive() || client.startAnother(), 50);
    say(log, 'kept', { pid: process.pid, cwd: process.cwd(), target, caFile });
    onReady();
    await toldToStop(stop);
    clearInterval(alive);
    client.send(says.drop('fuse'));
  },
  outside: async ({ onReady }) => onReady(),
  denied: async () => {
    throw new TypedError('denied', 'the store refused access: AccessDenied', 'Grant s3:ListBucket.');
  },
  // Fails after it has served. The successor becomes ready.
  succeeded: async ({ supervisor, onReady, stop }) => {
    if (supervisor === undefined) throw new Error('there is no supervisor');
    const send = (message: string, fd = -1): unknown => loadAddon().sendFd(supervisor.socket, message, fd);
    if (supervisor.restarts === 0) {
      send(says.keep('fuse'), openSync('/dev/null', 'r'));
      send(says.alive);
      throw new TypedError('session-failed', 'the session with the kernel broke off', 'Mount again.');
    }
    send(says.alive);
    send(says.drop('fuse'));
    onReady();
    await toldToStop(stop);
  },
  broken: async () => {
    throw new Error('boom');
  },
  dies: async () => process.exit(3),
  killed: async () => {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
  uncaught: async () => {
    setImmediate(() => {
      throw new Error('out of nowhere');
    });
    await new Promise(() => undefined);
  },
  // Logs that it has begun, and neither becomes ready nor ends.
  stuck: async ({ log }) => {
    say(log, 'stuck');
    setInterval(() => undefined, 1_000);
    await new Promise(() => undefined);
  },
  slow: async ({ log, stop }) => {
    say(log, 'slow');
    await toldToStop(stop);
    throw stop.reason;
  },
};

/** Logs events and fields that no real server has. */
function say(log: ServeOptions['log'], event: string, fields: object = {}): void {
  (log as { info(line: object, message: string): void }).info({ event, ...fields }, event);
}

async function toldToStop(stop: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 1_000);
  await once(stop, 'abort');
  clearInterval(alive);
}

function isOurs(name: string): boolean {
  return name.startsWith('DAGMOUNT_') && !name.startsWith('DAGMOUNT_TEST');
}

// Longer than any test waits. If its test was killed, nothing else stops this process.
setTimeout(() => process.exit(70), 10 * 60_000).unref();

// main.ts does the same.
if (process.argv[2] === 'mount') heedEarlySignals();
startCli(async () =>
  fakeServer({
    serve: async (config, options) => {
      await behaviours[config.bucket]?.(options, config);
      return { outcome: config.bucket === 'outside' ? 'unmounted-outside' : 'stopped' };
    },
  }),
);
