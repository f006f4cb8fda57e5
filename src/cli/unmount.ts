import { printable } from '../base/printable.ts';
import { parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { HostError } from '../host/host-error.ts';
import { type Identity, identityOfOwner, ownerOf } from '../host/mount-owner.ts';
import { isServed, isStateOf, type MountState } from '../host/mount-state.ts';
import { DAGMOUNT_TYPE, type Mount, topMountAt } from '../host/mountinfo.ts';
import type { ProcessId } from '../host/process.ts';
import { realTarget } from '../host/real-target.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { formatDuration } from './format.ts';
import type { RunCommand, Shell } from './shell.ts';

/**
 * How long the daemon may take to end, because it serves readers for a while after a busy mount was detached.
 */
const LINGER_MS = 15_000;
const LOOK_MS = 50;
/**
 * Maximum number of stacked mounts that the command removes from one target. The limit ends a race with a
 * user who keeps mounting there.
 */
const MOST_MOUNTS = 64;

/**
 * Unmounts a directory without any request to the mount itself, because a dead or hung mount would not
 * answer.
 */
export const run: RunCommand = async (args, shell) => {
  const { positionals } = parseCommandLine(args, [], 'unmount');
  const [directory, ...more] = positionals;
  if (!directory || more.length > 0) {
    throw new ConfigError(
      'usage',
      'One mount point is to be named.',
      'Usage: dagmount unmount MOUNTPOINT; dagmount list shows what is mounted.',
    );
  }
  const target = realTarget(directory, shell.environment.workingDirectory);
  const first = dagmountAt(target, shell);
  const owner = identityOfOwner(first) ?? ownIdentity(shell);
  const daemons = statesOf(first, shell);
  // Unmounts until the bare directory is left, because a daemon may have mounted over another daemon's dead
  // mount.
  let mount: Mount | undefined = first;
  for (let times = 0; mount !== undefined; times++, mount = remaining(target, mount, shell)) {
    if (times === MOST_MOUNTS) throw stillMounted(target);
    await unmountOnce(target, mount, shell);
  }
  for (const server of daemons) {
    const { supervisor } = server;
    // Ends a supervisor without a server: it would start another server, which would mount again.
    if (supervisor !== undefined && !shell.isRunning(server) && shell.isRunning(supervisor))
      shell.end(supervisor, owner);
  }
  const processes = daemons.flatMap((server) => (server.supervisor ? [server, server.supervisor] : [server]));
  await outlive(processes, target, shell);
  for (const state of statesOf(first, shell)) {
    if (isServed(state, shell.isRunning)) continue;
    const left = await (await shell.loadServer()).clearAfter(state, owner);
    if (left !== undefined)
      shell.err.write(`Not all that the mount left was cleared away: ${printable(left)}.\n`);
  }
  return exitCodes.ok;
};

function dagmountAt(target: string, shell: Shell): Mount {
  const mount = topMountAt(shell.readMounts(), target);
  const hint = 'See dagmount list for what is mounted.';
  if (mount === undefined) throw new CommandError('not-mounted', `Nothing is mounted on ${target}.`, hint);
  if (mount.fsType === DAGMOUNT_TYPE) return mount;
  throw new CommandError(
    'not-dagmount',
    `What is mounted on ${target} is no dagmount: ${mount.source} (${mount.fsType}).`,
    `To unmount it anyway: umount ${target}`,
  );
}

/**
 * Returns the dagmount that remains on the target, or undefined if there is none. Throws CommandError if it
 * is still the mount that was there before.
 */
function remaining(target: string, before: Mount, shell: Shell): Mount | undefined {
  const mount = topMountAt(shell.readMounts(), target);
  if (mount?.fsType !== DAGMOUNT_TYPE) return undefined;
  if (mount.mountId !== before.mountId) return mount;
  throw stillMounted(target);
}

function stillMounted(target: string): CommandError {
  return new CommandError('not-dagmount', `${target} is still mounted.`, 'Try umount -l as root.');
}

async function unmountOnce(target: string, mount: Mount, shell: Shell): Promise<void> {
  const server = await shell.loadServer();
  try {
    await server.unmount(target, { lazy: false, mount });
  } catch (error) {
    if (error instanceof HostError) throw elsewhere(error);
    // Detaches the mount after any failure. This succeeds if the mount was busy; otherwise it reports the
    // same failure.
    await server.unmount(target, { lazy: true, mount });
    shell.err.write(`${target} is busy: it is detached, and ends when no process uses it any more.\n`);
  }
}

function elsewhere({ path, reason }: HostError): CommandError {
  return new CommandError('not-dagmount', `${path} ${reason}.`, 'See dagmount list for what is mounted.');
}

/**
 * Returns the states of this mount that the owner of the mount wrote. Another user could also write a state
 * that names this mount.
 */
function statesOf(mount: Mount, shell: Shell): readonly MountState[] {
  const owner = ownerOf(mount);
  return shell.mountStates(owner === undefined ? [] : [owner]).filter((state) => isStateOf(state, mount));
}

function ownIdentity({ environment: { uid, gid } }: Shell): Identity {
  return { uid, gid };
}

async function outlive(daemons: readonly ProcessId[], target: string, shell: Shell): Promise<void> {
  const end = shell.now() + LINGER_MS;
  for (const daemon of daemons) {
    while (shell.isRunning(daemon)) {
      if (shell.now() > end) {
        throw new CommandError(
          'daemon-lingers',
          `${target} is unmounted, and its daemon (pid ${daemon.pid}) has not ended within ${formatDuration(LINGER_MS)}.`,
          `It may still answer readers of the busy mount; otherwise end it: kill ${daemon.pid}`,
        );
      }
      await shell.delay(LOOK_MS);
    }
  }
}
