import { spawnSync } from 'node:child_process';
import type { DriverName } from '../../src/session/driver.ts';
import { repository } from './repository.ts';

/** The driver of every mount in this run of the tests: DAGMOUNT_TEST_DRIVER, by default kernel. */
export const testedDriver: DriverName =
  process.env.DAGMOUNT_TEST_DRIVER === 'fuse-native' ? 'fuse-native' : 'kernel';

/** The reason, for a test's `skip`, why fuse-native cannot run here; false if it can. */
export const fuseNativeImpossible: string | false = reasonAgainstFuseNative();

function reasonAgainstFuseNative(): string | false {
  const script =
    'try { require("fuse-native") } catch (error) { console.log(error.message); process.exitCode = 1 }';
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], {
    cwd: repository,
    encoding: 'utf8',
  });
  if (status === 0) return false;
  const [reason = ''] = stdout.split('\n');
  return `fuse-native cannot be loaded (${reason}; Debian: apt-get install libfuse2)`;
}

/** The problems of a mount, except for the driver that a test has chosen for it. */
export function troublesOf({ degraded }: { readonly degraded: readonly string[] }): readonly string[] {
  return degraded.filter((code) => code !== 'weak-driver');
}
