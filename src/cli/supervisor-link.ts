import { getPriority } from 'node:os';
import type { SupervisorLink } from '../takeover/supervisor/supervisor-link.ts';

const VARIABLE = 'DAGMOUNT_SUPERVISOR';
const REASON_VARIABLE = 'DAGMOUNT_SUPERVISOR_REASON';
const STANDBY_VARIABLE = 'DAGMOUNT_SUPERVISOR_STANDBY';
const NICE_VARIABLE = 'DAGMOUNT_SUPERVISOR_NICE';
/**
 * The variables that another supervisor of the same mount needs again: a setting for tests, its usual
 * priority, and the socket and key of the process that holds the mount (`dagmount hold`).
 */
const OWN_VARIABLES = ['DAGMOUNT_WATCHDOG_MS', NICE_VARIABLE, 'DAGMOUNT_HOLD', 'DAGMOUNT_HOLD_KEY'];

/**
 * Reads what native/supervisor passes to a server (docs/takeover.md); returns undefined in a process without
 * a supervisor. Removes the variables from the environment, so that no process inherits them.
 *
 * @param others variables that were removed before, and that another supervisor needs again
 */
export function takeSupervisorLink(
  env: NodeJS.ProcessEnv,
  others: Readonly<Record<string, string>>,
): SupervisorLink | undefined {
  const list = env[VARIABLE];
  const reason = env[REASON_VARIABLE] ?? '';
  if (list === undefined) return undefined;
  const standsBy = env[STANDBY_VARIABLE] !== undefined;
  // This value is fixed: supervisors of every build send it.
  const isStandby = env[STANDBY_VARIABLE] === 'spare';
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
    isStandby,
    nice,
    kept: new Map(descriptors),
    environment: { ...Object.fromEntries(own), ...others },
  };
}

/** Whether this process has a supervisor. Works only before takeSupervisorLink, which removes the variables. */
export function isSupervised(env: NodeJS.ProcessEnv): boolean {
  return env[VARIABLE] !== undefined;
}
