import { spawn } from 'node:child_process';
import { closeSync, readlinkSync } from 'node:fs';
import { nodeCommand } from '../../host/node-command.ts';
import type { Addon } from '../../session/kernel/addon.ts';
import { processProfile } from '../../store/sdk/process-profile.ts';
import { supervisorProgram } from './supervisor.ts';
import type { RunningSupervisor } from './supervisor-client.ts';
import type { SupervisorLink } from './supervisor-link.ts';
import { NativeSupervisorSocket } from './supervisor-socket.ts';

type SupervisorAddon = Pick<Addon, 'sendFd' | 'socketPair'>;

/** The supervisor that started this process. */
export function parentSupervisor(link: SupervisorLink, addon: SupervisorAddon): RunningSupervisor {
  const pid = process.ppid;
  return {
    socket: new NativeSupervisorSocket(addon, link.socket, link.kept.get('orders')),
    pid,
    // Once the supervisor has ended, this process has another parent.
    kill: () => {
      if (process.ppid === pid) process.kill(pid, 'SIGKILL');
    },
  };
}

/**
 * Returns a function that starts another supervisor, which adopts this process. Must be called while the
 * first supervisor runs.
 */
export function adoptingSupervisor(
  { restarts, environment }: SupervisorLink,
  addon: SupervisorAddon,
): () => RunningSupervisor | undefined {
  // This program is used if the installed dagmount has no supervisor, or if an upgrade removed it.
  const first = programOf(process.ppid);
  return () => {
    const program = supervisorProgram() ?? first;
    if (program === undefined) return undefined;
    const [ours, theirs] = addon.socketPair(true);
    const [ourOrders, theirOrders] = addon.socketPair(false);
    const [entry = '', ...args] = process.argv.slice(1);
    const adopted = ['--adopt', String(process.pid), '3', '4', String(restarts)];
    const child = spawn(program, [...adopted, ...nodeCommand(), entry, ...args], {
      detached: true,
      env: { ...process.env, AWS_PROFILE: processProfile.own, ...environment },
      stdio: ['inherit', 'inherit', 'inherit', theirs, theirOrders],
    });
    // If the program cannot be started, the next message to it fails, and shows that.
    child.on('error', () => undefined);
    child.unref();
    closeSync(theirs);
    closeSync(theirOrders);
    return {
      socket: new NativeSupervisorSocket(addon, ours, ourOrders),
      pid: child.pid ?? 0,
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
