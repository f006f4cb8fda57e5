import type { DriverCheck } from '../../mount/driver-check.ts';
import { failureOf } from '../failure.ts';
import { badBecause, doubtful, type Finding, good } from './finding.ts';

/**
 * Reports which driver a mount would use on this host, why it would not use the other driver, and what to
 * install.
 */
export function driverFindings(check: DriverCheck): readonly Finding[] {
  const { used, kernel, fuseNative, driverLimitations } = check;
  const addon = kernel.file === undefined ? undefined : good('addon', kernel.file);
  const kernelError = kernel.error === undefined ? undefined : failureOf(kernel.error);
  const otherError = fuseNative === undefined ? undefined : failureOf(fuseNative.error);
  switch (used) {
    case 'kernel': {
      const other =
        otherError === undefined
          ? 'fuse-native could be used too'
          : `fuse-native could not: ${otherError.message} ${otherError.hint}`;
      return [...(addon === undefined ? [] : [addon]), good('driver', `kernel; ${other}`)];
    }
    case 'fuse-native': {
      const promises = `fuse-native, which keeps these promises in part: ${driverLimitations.join('; ')}`;
      return [
        addon ?? doubtful('addon', kernelError?.message ?? 'is not there', kernelError?.hint ?? ''),
        kernelError === undefined
          ? doubtful(
              'driver',
              `${promises}; kernel could be used`,
              'Leave --driver away, and kernel is used.',
            )
          : doubtful(
              'driver',
              `${promises}; kernel cannot be used: ${kernelError.message}`,
              kernelError.hint,
            ),
      ];
    }
    default:
      return [
        ...(addon === undefined ? [] : [addon]),
        ...(kernel.error === undefined
          ? []
          : [badBecause(addon === undefined ? 'addon' : 'driver', kernel.error)]),
        ...(fuseNative === undefined ? [] : [badBecause('driver', fuseNative.error)]),
      ];
  }
}
