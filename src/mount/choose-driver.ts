import type { Entries } from '../base/entries.ts';
import type { Logger } from '../base/logger.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { atMount } from '../host/at-mount.ts';
import { identityOfOwner } from '../host/mount-owner.ts';
import type { Mount } from '../host/mountinfo.ts';
import type { Driver } from '../session/driver.ts';
import { FUSE_NATIVE_LIMITATIONS } from '../session/driver-limitations.ts';
import { FuseNativeDriver } from '../session/fuse-native/fuse-native-driver.ts';
import { ProcessHost } from '../session/fuse-native/process-host.ts';
import { unmountNow } from '../session/fuse-native/unmounting.ts';
import { type Addon, addonPath, loadAddon } from '../session/kernel/addon.ts';
import { KernelDriver } from '../session/kernel/kernel-driver.ts';
import { createMounter } from '../session/kernel/mounting.ts';
import { MountError, type MountErrorCode } from '../session/mount-error.ts';
import type { DriverCheck, UnmountOptions } from './driver-check.ts';

/**
 * The errors of the kernel driver after which fuse-native may still work. `no-device` is not among them,
 * because without /dev/fuse neither driver works.
 */
const REPLACEABLE: ReadonlySet<MountErrorCode> = new Set(['no-addon', 'no-fusermount']);

export interface ChosenDriver {
  readonly driver: Driver;
  /** The addon, if it can be loaded. The kernel driver needs it; fuse-native does not. */
  readonly addon: Addon | undefined;
}

/**
 * Chooses a driver and starts the thread or process of its session. Rejects with MountError if no allowed
 * driver works.
 */
export async function chooseDriver(
  wanted: MountConfig['driver'],
  { sessionWorker, fuseNativeProcess }: Pick<Entries, 'sessionWorker' | 'fuseNativeProcess'>,
  log: Logger,
): Promise<ChosenDriver> {
  const loaded = tryToLoad();
  if (wanted === 'fuse-native') {
    const driver = await FuseNativeDriver.start(fuseNativeProcess);
    log.info(
      { event: 'weak-driver', limitations: FUSE_NATIVE_LIMITATIONS },
      'fuse-native serves this mount; it keeps some promises only in part',
    );
    return { driver, addon: loaded.addon };
  }
  try {
    if (loaded.addon === undefined) throw loaded.error;
    return { driver: new KernelDriver(createMounter(loaded.addon), sessionWorker), addon: loaded.addon };
  } catch (error) {
    if (wanted === 'kernel' || !isReplaceable(error)) throw error;
    const driver = await FuseNativeDriver.start(fuseNativeProcess).catch((other: unknown) => {
      throw neither(error, other);
    });
    const fields = { reason: error.message, hint: error.hint };
    log.warn(
      { event: 'weak-driver', ...fields, limitations: FUSE_NATIVE_LIMITATIONS },
      'the kernel driver cannot be used; fuse-native serves this mount, and keeps some promises only in part',
    );
    return { driver, addon: loaded.addon };
  }
}

/** Implements ServerPort.checkDrivers. */
export async function checkDrivers(
  wanted: MountConfig['driver'],
  { fuseNativeProcess }: Pick<Entries, 'fuseNativeProcess'>,
): Promise<DriverCheck> {
  const kernel = checkKernelDriver();
  const fuseNative = await ProcessHost.start(fuseNativeProcess).then(
    async (host) => void (await host.terminate()),
    (error: unknown) => ({ error }),
  );
  const used =
    kernel.error === undefined && wanted !== 'fuse-native'
      ? 'kernel'
      : fuseNative === undefined &&
          (wanted === 'fuse-native' || (wanted === 'auto' && isReplaceable(kernel.error)))
        ? 'fuse-native'
        : undefined;
  const asked = {
    auto: [kernel, fuseNative],
    kernel: [kernel, undefined],
    'fuse-native': [{}, fuseNative],
  } as const;
  // If no driver works, report only the one that was requested.
  const [ofKernel, ofFuseNative] = used === undefined ? asked[wanted] : asked.auto;
  return { used, kernel: ofKernel, fuseNative: ofFuseNative, driverLimitations: FUSE_NATIVE_LIMITATIONS };
}

function checkKernelDriver(): DriverCheck['kernel'] {
  const loaded = tryToLoad();
  if (loaded.addon === undefined) return { error: loaded.error };
  const file = addonPath();
  try {
    createMounter(loaded.addon);
    return { file };
  } catch (error) {
    return { file, error };
  }
}

/** Implements ServerPort.unmount. */
export async function unmount(target: string, { lazy, mount }: UnmountOptions): Promise<void> {
  const { addon } = tryToLoad();
  if (process.geteuid?.() === 0) {
    unmountAsRoot(target, lazy, mount, addon);
    return;
  }
  if (addon === undefined) return unmountNow(target, lazy);
  try {
    createMounter(addon).unmount(target, lazy);
  } catch (error) {
    if (!isReplaceable(error)) throw error;
    unmountNow(target, lazy);
  }
}

/**
 * Unmounts only the mount that was examined, because another user may own directories of the path and change
 * them.
 */
function unmountAsRoot(target: string, lazy: boolean, mount: Mount, addon: Addon | undefined): void {
  const owner = identityOfOwner(mount);
  atMount(target, mount.mountId, (path) => {
    if (addon !== undefined) addon.unmount(path, lazy);
    // The program resolves the path again. So for another user's mount, the program gets only that user's
    // rights.
    else unmountNow(target, lazy, owner);
  });
}

function tryToLoad():
  | { readonly addon: Addon; readonly error?: never }
  | { readonly addon?: never; readonly error: unknown } {
  try {
    return { addon: loadAddon() };
  } catch (error) {
    return { error };
  }
}

function isReplaceable(error: unknown): error is MountError {
  return error instanceof MountError && REPLACEABLE.has(error.code);
}

function neither(kernel: MountError, fuseNative: unknown): unknown {
  if (!(fuseNative instanceof MountError)) return fuseNative;
  return new MountError(
    kernel.code,
    `${kernel.message} ${fuseNative.message}`,
    `One of the two is needed. ${kernel.hint} Or: ${fuseNative.hint}`,
    fuseNative,
  );
}
