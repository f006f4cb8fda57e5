import type { SupervisorPort } from '../takeover/supervisor/supervisor-port.ts';

/** Loads the module on demand, because it loads the addon. */
export async function loadSupervisor(): Promise<SupervisorPort> {
  const supervisor: SupervisorPort = await import('../takeover/supervisor/supervisor.ts');
  return supervisor;
}
