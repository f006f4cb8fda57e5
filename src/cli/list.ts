import { printableJson, printableName } from '../base/printable.ts';
import { type FlagSpec, parseCommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/config-error.ts';
import { isServed, type MountState } from '../config/mount-state.ts';
import { DAGMOUNT_TYPE, type Mount } from '../config/mountinfo.ts';
import { exitCodes } from './exit-codes.ts';
import { formatTable } from './format.ts';
import { ownerOf } from './mount-owner.ts';
import type { RunCommand, Shell } from './shell.ts';

export const flags: readonly FlagSpec[] = [{ name: 'json', takesValue: false }];

/** One mount of this host. What is null is not known here: another user's, or one whose daemon is gone. */
interface Listed {
  readonly source: string;
  readonly target: string;
  readonly pid: number | null;
  readonly ready: boolean | null;
  readonly startedAt: string | null;
  readonly socket: string | null;
}

export const run: RunCommand = async (args, shell) => {
  const { flags: given, positionals } = parseCommandLine(args, flags, 'list');
  if (positionals.length > 0) {
    throw new ConfigError(
      'usage',
      `There is an argument too many: ${positionals[0]}.`,
      'See dagmount help list.',
    );
  }
  const mounts = listMounts(shell);
  if (given.some(({ name }) => name === 'json'))
    shell.out.write(`${printableJson(JSON.stringify(mounts, undefined, 2))}\n`);
  else if (mounts.length > 0) shell.out.write(tableOf(mounts));
  else shell.err.write('No dagmount is mounted on this host.\n');
  return exitCodes.ok;
};

function listMounts(shell: Shell): readonly Listed[] {
  const mounts = shell.readMounts().filter(({ fsType }) => fsType === DAGMOUNT_TYPE);
  const owners = new Set(mounts.flatMap((mount) => ownerOf(mount) ?? []));
  const states = shell.mountStates([...owners]).filter((state) => isServed(state, shell.isRunning));
  return mounts.map((mount) => listed(mount, states));
}

function listed({ mountPoint: target, source }: Mount, states: readonly MountState[]): Listed {
  const state = states.find((each) => each.target === target && each.source === source);
  if (state === undefined) {
    return { source, target, pid: null, ready: null, startedAt: null, socket: null };
  }
  const { pid, ready, startedAt, socket } = state;
  return { source, target, pid, ready, startedAt, socket };
}

function tableOf(mounts: readonly Listed[]): string {
  const rows = mounts.map(({ source, target, pid, ready, socket }) => [
    printableName(source),
    printableName(target),
    pid === null ? '-' : String(pid),
    ready === null ? '-' : ready ? 'yes' : 'no',
    printableName(socket ?? '-'),
  ]);
  return formatTable(['SOURCE', 'TARGET', 'PID', 'READY', 'SOCKET'], rows);
}
