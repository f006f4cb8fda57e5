import type { SupervisorPort } from '../takeover/supervisor-port.ts';

/** Only where it is needed: it brings the addon along. */
export async function loadSupervisor(): Promise<SupervisorPort> {
  const supervisor: SupervisorPort = await import('../takeover/supervisor.ts');
  return supervisor;
}
