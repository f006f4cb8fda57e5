import { printableName } from '../../base/printable.ts';
import { isServed, type MountState } from '../../config/mount-state.ts';
import { DAGMOUNT_TYPE } from '../../config/mountinfo.ts';
import { realTarget } from '../../config/real-target.ts';
import { CommandError } from '../command-error.ts';
import { formatTable } from '../format.ts';
import { ownerOf } from '../mount-owner.ts';
import type { Shell } from '../shell.ts';

/** Which daemon is meant: by its socket, by its mount point, or the only one that runs. */
export interface Wanted {
  readonly sockets: readonly string[];
  readonly mount: string | undefined;
}

/** The sockets of the daemons that are meant. Throws CommandError. */
export function socketsOf({ sockets, mount }: Wanted, shell: Shell): readonly string[] {
  if (sockets.length > 0) return sockets;
  const states = runningStates(shell);
  if (mount !== undefined) return [socketAt(mount, states, shell)];
  const [only, ...more] = states;
  if (only === undefined) {
    throw new CommandError(
      'no-daemon',
      'No dagmount of this user runs on this host.',
      'Mount with dagmount mount, ask as the user who did, or name a socket with --socket.',
    );
  }
  if (more.length === 0) return [socketOf(only)];
  const rows = states.map(({ source, target, socket }) =>
    [source, target, socket ?? '-'].map((name) => printableName(name)),
  );
  shell.err.write(formatTable(['SOURCE', 'TARGET', 'SOCKET'], rows));
  throw new CommandError(
    'several-daemons',
    `${states.length} mounts run here, and it is not said which is meant.`,
    'Say --mount MOUNTPOINT or --socket PATH.',
  );
}

/** Of the daemons of this host that this user may know of. */
export function runningStates(shell: Shell): readonly MountState[] {
  const mounts = shell.readMounts().filter(({ fsType }) => fsType === DAGMOUNT_TYPE);
  const owners = new Set(mounts.flatMap((mount) => ownerOf(mount) ?? []));
  return shell.mountStates([...owners]).filter((state) => isServed(state, shell.isRunning));
}

function socketAt(mount: string, states: readonly MountState[], shell: Shell): string {
  const target = realTarget(mount, shell.surroundings.workingDirectory);
  const state = states.find((each) => each.target === target);
  if (state !== undefined) return socketOf(state);
  const isMounted = shell
    .readMounts()
    .some(({ mountPoint, fsType }) => mountPoint === target && fsType === DAGMOUNT_TYPE);
  if (!isMounted) {
    throw new CommandError(
      'not-mounted',
      `Nothing of dagmount is mounted on ${target}.`,
      'See dagmount list for what is mounted.',
    );
  }
  throw new CommandError(
    'no-daemon',
    `The daemon of ${target} is gone, or is another user's.`,
    'Ask as the user who mounted it; mount again where dagmount list shows no process.',
  );
}

function socketOf({ socket, target }: MountState): string {
  if (socket !== null) return socket;
  throw new CommandError(
    'no-daemon',
    `The daemon of ${target} has no control socket: it is older than this command.`,
    'Unmount, and mount again.',
  );
}
