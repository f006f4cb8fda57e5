import type { MountConfig } from '../config/mount-config.ts';
import { checkDrivers as checkBothDrivers } from '../mount/choose-driver.ts';
import type { DriverCheck } from '../mount/driver-check.ts';
import { entries } from './entries.ts';
import { RunningServer } from './running-server.ts';
import { type Ending, ServedMount } from './served-mount.ts';
import type { Served, ServeOptions, ServerPort, StoreFinding } from './server-port.ts';
import type { Parts, Wiring } from './wiring.ts';

export { unmount } from '../mount/choose-driver.ts';
export { clearAfter } from '../takeover/clear-after.ts';

/** See ServerPort. */
export function checkDrivers(wanted: MountConfig['driver']): Promise<DriverCheck> {
  return checkBothDrivers(wanted, entries);
}

/** See ServerPort. */
export async function* probeStore(
  ...probe: Parameters<ServerPort['probeStore']>
): AsyncIterable<StoreFinding> {
  const [config, options] = probe;
  const { probeStore: probeOne } = await import('./store-probe.ts');
  yield* probeOne(config, options);
  for (const setting of config.standbys) {
    const { standbyConfig } = await import('./standby-config.ts');
    for await (const finding of probeOne(standbyConfig(setting, config), options)) {
      yield { ...finding, name: `standby ${finding.name}` };
    }
  }
}

/**
 * Mounts and serves until the server is asked to stop, or until another process unmounts it. Rejects with
 * MountError, StoreError, CacheError, ConfigError, SettingError or SyncError if the server cannot start or
 * continue. It then leaves nothing behind.
 */
export async function serve(
  config: MountConfig,
  options: ServeOptions,
  wiring: Partial<Wiring> = {},
): Promise<Served> {
  const endings: Ending[] = [];
  try {
    const wired = { parts: asTheyAre, entries, ...wiring };
    const mount = new ServedMount(config, options, wired, (ending) => endings.push(ending));
    return await new RunningServer(mount).run();
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

export type { Parts, Wiring } from './wiring.ts';

const asTheyAre: Parts = (parts) => parts;
