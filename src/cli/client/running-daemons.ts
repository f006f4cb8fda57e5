import { printable, printableName } from '../../base/printable.ts';
import { ControlClient } from '../../control/client.ts';
import { ownerOf } from '../../host/mount-owner.ts';
import { isServed, isStateOf, type MountState, type UnreadableState } from '../../host/mount-state.ts';
import { DAGMOUNT_TYPE, type Mount } from '../../host/mountinfo.ts';
import { realTarget } from '../../host/real-target.ts';
import { CommandError } from '../command-error.ts';
import { formatTable } from '../format.ts';
import type { Shell } from '../shell.ts';

/**
 * How a command selects daemons: by their sockets, or one by its mount point. If neither is given, the
 * command uses the only daemon that runs.
 */
export interface Wanted {
  readonly sockets: readonly string[];
  readonly mount: string | undefined;
}

/**
 * Creates clients for the selected daemons. Throws CommandError if no daemon matches, or if several run and
 * none is selected.
 */
export function clientsOf({ sockets, mount }: Wanted, shell: Shell): readonly ControlClient[] {
  if (sockets.length > 0) return sockets.map((socket) => new ControlClient(socket));
  const states = runningStates(shell);
  if (mount !== undefined) return [clientAt(mount, states, shell)];
  const [only, ...more] = states;
  if (only === undefined) {
    throw new CommandError(
      'no-daemon',
      'No dagmount of this user runs on this host.',
      'Mount with dagmount mount, ask as the user who did, or name a socket with --socket.',
    );
  }
  if (more.length === 0) return [clientOf(only, shell)];
  const rows = states.map(({ source, target, socket }) =>
    [source, target, socket ?? '-'].map((name) => printableName(name)),
  );
  shell.err.write(formatTable(['SOURCE', 'TARGET', 'SOCKET'], rows));
  throw new CommandError(
    'several-daemons',
    `${states.length} mounts run on this host, and the command does not say which one.`,
    'Add --mount MOUNTPOINT or --socket PATH.',
  );
}

/** Returns the states of the daemons that run on this host, as far as this user may read them. */
export function runningStates(
  shell: Shell,
  onUnreadable = (unreadable: UnreadableState): void => tellUnreadable([unreadable], shell),
): readonly MountState[] {
  return readRunning(shell, onUnreadable).states;
}

/**
 * Returns the dagmounts in the kernel's list of mounts, and the states that their running daemons wrote, as
 * far as this user may read them.
 */
export function readRunning(
  shell: Shell,
  onUnreadable: (unreadable: UnreadableState) => void,
): { readonly mounts: readonly Mount[]; readonly states: readonly MountState[] } {
  const mounts = shell.readMounts().filter(({ fsType }) => fsType === DAGMOUNT_TYPE);
  const owners = new Set(mounts.flatMap((mount) => ownerOf(mount) ?? []));
  // Believes the state of another user only if the kernel has that user's mount: the user could write a state
  // for a mount that does not exist, or that belongs to a third user.
  const isTrue = (state: MountState): boolean =>
    isOwn(state, shell) || mounts.some((mount) => isStateOf(state, mount));
  const states = shell
    .mountStates([...owners], onUnreadable)
    .filter((state) => isTrue(state) && isServed(state, shell.isRunning));
  return { mounts, states };
}

/** Reports mounts whose state cannot be read; the other mounts are still shown. */
export function tellUnreadable(unreadable: readonly UnreadableState[], shell: Shell): void {
  for (const { path, reason } of unreadable)
    shell.err.write(`Left out: ${printableName(path)} ${printable(reason)}.\n`);
}

function clientAt(mount: string, states: readonly MountState[], shell: Shell): ControlClient {
  const target = realTarget(mount, shell.environment.workingDirectory);
  const mounts = shell
    .readMounts()
    .filter(({ mountPoint, fsType }) => mountPoint === target && fsType === DAGMOUNT_TYPE);
  // Prefers the state that the owner of the mount wrote, because that state names the right socket.
  const isOfOwner = (state: MountState): boolean => mounts.some((each) => isStateOf(state, each));
  const state = states.find(isOfOwner) ?? states.find((each) => each.target === target && isOwn(each, shell));
  if (state !== undefined) return clientOf(state, shell);
  if (mounts.length === 0) {
    throw new CommandError(
      'not-mounted',
      `Nothing of dagmount is mounted on ${target}.`,
      'See dagmount list for what is mounted.',
    );
  }
  throw new CommandError(
    'no-daemon',
    `The daemon of ${target} is gone, or is another user's.`,
    'Run the command as the user that mounted it; mount again if dagmount list shows no process.',
  );
}

function isOwn({ uid }: MountState, { environment }: Shell): boolean {
  return uid === undefined || uid === environment.uid;
}

/**
 * Creates a client for the daemon with this state. Throws CommandError if the daemon has no control socket.
 */
export function clientOf({ socket, target, uid }: MountState, shell: Shell): ControlClient {
  if (socket !== null) return new ControlClient(socket, () => shell.socketAddress(socket, uid));
  throw new CommandError(
    'no-daemon',
    `The daemon of ${target} has no control socket: it is older than this command.`,
    'Unmount, and mount again.',
  );
}
