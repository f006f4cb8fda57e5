import { readConnectionRecord } from '../session/kernel/connection-record.ts';
import { MountError } from '../session/mount-error.ts';
import type { StatePlaces } from '../state/open-state.ts';
import { openTakeover } from '../state/open-takeover.ts';
import type { Prepared } from './preparation.ts';

/**
 * Resolves when this server could replace the running one: its modules are loaded, and it can read the state of the running
 * server. Otherwise rejects with the reason.
 */
export async function canTakeOver(
  {
    connected,
    session,
  }: Pick<Prepared, 'connected'> & { readonly session: Pick<Prepared['session'], 'counters'> },
  places: StatePlaces,
  isStandby: boolean,
): Promise<void> {
  await session.counters();
  await connected();
  // A standby has the same version and should need little memory: it reads nothing.
  if (isStandby) return;
  const isReadable = readConnectionRecord(places.runtimeDirectory) !== 'unusable';
  if (isReadable && (await openTakeover(places)) !== undefined) return;
  throw new MountError(
    'state-unusable',
    'What the running server has kept cannot be read by this version.',
    'Unmount, and mount again with this version.',
  );
}
