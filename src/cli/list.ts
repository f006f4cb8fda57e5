import { printableName } from '../base/printable.ts';
import { type FlagSpec, isGiven, parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { isStateOf, type MountState, type ShownStep, type UnreadableState } from '../host/mount-state.ts';
import { isMountOf, type Mount } from '../host/mountinfo.ts';
import { SHORT_ID } from './client/release-text.ts';
import { readRunning, tellUnreadable } from './client/running-daemons.ts';
import { exitCodes } from './exit-codes.ts';
import { formatJson, formatTable } from './format.ts';
import type { RunCommand, Shell } from './shell.ts';

export const flags: readonly FlagSpec[] = [{ name: 'json', takesValue: false }];

/**
 * A mount of this host. A value is null if it is unknown, because the mount is another user's or its daemon
 * has died.
 */
interface Listed {
  readonly source: string;
  readonly target: string;
  readonly pid: number | null;
  readonly ready: boolean | null;
  readonly startedAt: string | null;
  readonly socket: string | null;
  /** The release that the mount shows; null also if the mount shows a prefix. */
  readonly release: ShownStep | null;
}

export const run: RunCommand = async (args, shell) => {
  const { flags: given, positionals } = parseCommandLine(args, flags, 'list');
  if (positionals.length > 0) {
    throw new ConfigError(
      'usage',
      `There is one argument too many: ${positionals[0]}.`,
      'See dagmount help list.',
    );
  }
  const unreadable: UnreadableState[] = [];
  const mounts = listMounts(shell, (each) => unreadable.push(each));
  if (isGiven(given, 'json')) shell.out.write(formatJson(mounts));
  else if (mounts.length > 0) shell.out.write(tableOf(mounts));
  else shell.err.write('No dagmount is mounted on this host.\n');
  tellUnreadable(unreadable, shell);
  return exitCodes.ok;
};

function listMounts(shell: Shell, onUnreadable: (unreadable: UnreadableState) => void): readonly Listed[] {
  const { mounts, states } = readRunning(shell, onUnreadable);
  return mounts.map((mount) => listed(mount, states));
}

function listed(mount: Mount, states: readonly MountState[]): Listed {
  const { source, mountPoint: target } = mount;
  const state = states.find((each) => isMountOf(mount, each.source) && isStateOf(each, mount));
  if (state === undefined) {
    return { source, target, pid: null, ready: null, startedAt: null, socket: null, release: null };
  }
  const { pid, ready, startedAt, socket, release = null } = state;
  return { source: state.source, target, pid, ready, startedAt, socket, release };
}

function tableOf(mounts: readonly Listed[]): string {
  const namesReleases = mounts.some(({ release }) => release !== null);
  const rows = mounts.map(({ source, target, pid, ready, socket, release }) => [
    printableName(source),
    ...(namesReleases ? [release === null ? '-' : stepText(release)] : []),
    printableName(target),
    pid === null ? '-' : String(pid),
    ready === null ? '-' : ready ? 'yes' : 'no',
    printableName(socket ?? '-'),
  ]);
  const header = ['SOURCE', ...(namesReleases ? ['RELEASE'] : []), 'TARGET', 'PID', 'READY', 'SOCKET'];
  return formatTable(header, rows);
}

function stepText({ ref, seq, id }: ShownStep): string {
  return printableName(`${ref} step ${seq} (${id.slice(0, SHORT_ID)})`);
}
