import { readConnectionRecord } from '../session/kernel/connection-record.ts';
import { MountError } from '../session/mount-error.ts';
import type { StatePlaces } from '../state/open-state.ts';
import { openTakeover } from '../state/open-takeover.ts';
import type { Prepared } from './preparation.ts';

/**
 * Resolves when this server could take the place of the one that serves meanwhile: its modules are loaded, and it can read the
 * state of that one. Rejects with what prevents it.
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
  // A standby is of the same version, and is to take little memory: it reads nothing.
  if (isStandby) return;
  const isReadable = readConnectionRecord(places.runtimeDirectory) !== 'unusable';
  if (isReadable && (await openTakeover(places)) !== undefined) return;
  throw new MountError(
    'state-unusable',
    'What the running server has kept cannot be read by this version.',
    'Unmount, and mount again with this version.',
  );
}
