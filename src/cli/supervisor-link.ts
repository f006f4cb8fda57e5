import { getPriority } from 'node:os';
import type { SupervisorLink } from '../takeover/supervisor-link.ts';

const VARIABLE = 'DAGMOUNT_SUPERVISOR';
const REASON_VARIABLE = 'DAGMOUNT_SUPERVISOR_REASON';
const STANDBY_VARIABLE = 'DAGMOUNT_SUPERVISOR_STANDBY';
const NICE_VARIABLE = 'DAGMOUNT_SUPERVISOR_NICE';
/** What another supervisor needs again: its setting for tests, and how nice it is. */
const OWN_VARIABLES = ['DAGMOUNT_WATCHDOG_MS', NICE_VARIABLE];

/**
 * What native/supervisor/supervisor.c gives a server; undefined in a process that has no supervisor. Takes the
 * variables away: what it starts in its turn has none.
 *
 * @param others variables that were taken away before, and which another supervisor needs again
 */
export function takeSupervisorLink(
  env: NodeJS.ProcessEnv,
  others: Readonly<Record<string, string>>,
): SupervisorLink | undefined {
  const list = env[VARIABLE];
  const reason = env[REASON_VARIABLE] ?? '';
  if (list === undefined) return undefined;
  const standsBy = env[STANDBY_VARIABLE] !== undefined;
  const isSpare = env[STANDBY_VARIABLE] === 'spare';
  const nice = Number(env[NICE_VARIABLE] ?? getPriority());
  const own = OWN_VARIABLES.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  for (const name of [VARIABLE, REASON_VARIABLE, STANDBY_VARIABLE, ...OWN_VARIABLES]) delete env[name];
  const [socket, restarts, ...kept] = list.split(' ');
  const descriptors = kept.map((each) => {
    const [name = '', fd] = each.split('=');
    return [name, Number(fd)] as const;
  });
  return {
    socket: Number(socket),
    restarts: Number(restarts),
    reason,
    standsBy,
    isSpare,
    nice,
    kept: new Map(descriptors),
    environment: { ...Object.fromEntries(own), ...others },
  };
}

/** Whether this process has a supervisor, before that is taken. */
export function isSupervised(env: NodeJS.ProcessEnv): boolean {
  return env[VARIABLE] !== undefined;
}
