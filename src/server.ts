import type { Served, ServeOptions, ServerPort, StoreFinding } from './cli/server-port.ts';
import type { MountConfig } from './config/mount-config.ts';
import { type Ending, type Parts, RunningServer } from './running-server.ts';
import { addonPath, loadAddon } from './session/kernel/addon.ts';
import { createMounter } from './session/kernel/mounting.ts';

/** As ServerPort has it. */
export async function* probeStore(
  ...probe: Parameters<ServerPort['probeStore']>
): AsyncIterable<StoreFinding> {
  yield* (await import('./store-probe.ts')).probeStore(...probe);
}

/** Resolves to the file that the native addon was loaded from; rejects with MountError. */
export async function checkTransport(): Promise<string> {
  loadAddon();
  return addonPath();
}

/** Unmounts as this user can; rejects with MountError, or with the errno of umount2(2) as `code`. */
export async function unmount(target: string, { lazy }: { readonly lazy: boolean }): Promise<void> {
  createMounter(loadAddon()).unmount(target, lazy);
}

/**
 * Mounts and serves until it is told to stop, or until somebody unmounts it. Rejects with MountError, StoreError,
 * CacheError, ConfigError, SettingError or SyncError when it cannot begin or go on; nothing is left behind then.
 */
export async function serve(
  config: MountConfig,
  options: ServeOptions,
  parts: Parts = asTheyAre,
): Promise<Served> {
  const endings: Ending[] = [];
  try {
    return await new RunningServer(config, options, parts, (ending) => endings.push(ending)).run();
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

export type { Parts } from './running-server.ts';

const asTheyAre: Parts = (parts) => parts;
