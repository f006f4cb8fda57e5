import type { Surroundings } from '../../src/config/surroundings.ts';

/** A user of a host where nothing is set. */
export function surroundings(changes: Partial<Surroundings> = {}): Surroundings {
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
