import type { HostEnvironment } from '../../src/config/host-environment.ts';

/** A user's environment on a host where nothing is set. */
export function environment(changes: Partial<HostEnvironment> = {}): HostEnvironment {
  return {
    env: {},
    uid: 1000,
    gid: 1001,
    home: '/home/airflow',
    workingDirectory: '/srv/here',
    logsToTerminal: false,
    readText: () => undefined,
    ...changes,
  };
}
