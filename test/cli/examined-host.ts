import { examine } from '../../src/cli/doctor/doctor.ts';
import type { Host } from '../../src/cli/doctor/host.ts';
import type { Shell } from '../../src/cli/shell.ts';
import type { MountConfig } from '../../src/config/mount-config.ts';
import type { StoreFinding } from '../../src/server/server-port.ts';
import { environment } from '../config/host-environment.ts';
import { fakeServer, recordedShell } from './recorded-shell.ts';

const files: Readonly<Record<string, string>> = {
  '/etc/fuse.conf': '# a comment\nuser_allow_other\n',
  '/proc/sys/fs/fuse/default_request_timeout': '0\n',
  '/proc/sys/fs/fuse/max_request_timeout': '0\n',
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
};

/** A host on which everything is as it should be. */
export function host(
  changes: Partial<Host> & { readonly files?: Readonly<Record<string, string>> } = {},
): Host {
  const all = { ...files, ...changes.files };
  return {
    platform: 'linux',
    kernelRelease: '6.12.0-1-amd64',
    nodeVersion: '20.19.0',
    hasUserEntry: () => true,
    readText: (path) => all[path],
    tryOpen: () => undefined,
    tryAccess: () => undefined,
    ownerAndMode: (path) =>
      path === '/home/airflow' || path === '/' || path === '/tmp'
        ? { uid: 1000, mode: 0o755, isDirectory: true }
        : undefined,
    unsafeAncestor: () => undefined,
    freeBytes: () => 10 * 2 ** 30,
    ...changes,
  };
}

export async function examined(
  args: readonly string[],
  on: Host = host(),
  changes: Partial<Shell> = {},
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  const shell = recordedShell({ environment: environment({ env: { PATH: '/usr/bin' } }), ...changes });
  const exitCode = await examine(args, shell, on);
  return { exitCode, ...shell.said };
}

export function probing(
  findings: readonly StoreFinding[],
  seen: (config: MountConfig) => void = () => undefined,
) {
  return {
    loadServer: async () =>
      fakeServer({
        probeStore: async function* (config) {
          seen(config);
          yield* findings;
        },
      }),
  };
}
