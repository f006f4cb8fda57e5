import type { SupervisorLink } from './server-port.ts';

const VARIABLE = 'DAGMOUNT_SUPERVISOR';
const REASON_VARIABLE = 'DAGMOUNT_SUPERVISOR_REASON';
/** Of the supervisor's own settings, for tests. */
const OWN_VARIABLES = ['DAGMOUNT_WATCHDOG_MS', 'DAGMOUNT_TAKEOVER_DEADLINE_MS'];

/**
 * What native/supervisor/supervisor.c gives a server; undefined in a process that has no supervisor. Takes the
 * variables away: what it starts in its turn has none.
 */
export function takeSupervisorLink(env: NodeJS.ProcessEnv): SupervisorLink | undefined {
  const list = env[VARIABLE];
  const reason = env[REASON_VARIABLE] ?? '';
  if (list === undefined) return undefined;
  for (const name of [VARIABLE, REASON_VARIABLE, ...OWN_VARIABLES]) delete env[name];
  const [socket, restarts, ...kept] = list.split(' ');
  const descriptors = kept.map((each) => {
    const [name = '', fd] = each.split('=');
    return [name, Number(fd)] as const;
  });
  return { socket: Number(socket), restarts: Number(restarts), reason, kept: new Map(descriptors) };
}
