import { readConnectionRecord } from '../session/kernel/connection-record.ts';
import { MountError } from '../session/mount-error.ts';
import type { StatePlaces } from '../state/open-state.ts';
import { openTakeover } from '../state/open-takeover.ts';
import type { Prepared } from './preparation.ts';

export interface TakenOver {
  /** The mount's runtime directory. */
  readonly runtimeDirectory: string;
  /** Where the state is of each tree that the kernel may know. */
  readonly trees: readonly StatePlaces[];
}

/**
 * Resolves when this server could replace the running one: its modules are loaded, and it can read the state of the running
 * server. Otherwise rejects with the reason.
 */
export async function canTakeOver(
  {
    connected,
    session,
  }: {
    readonly connected: () => Promise<unknown>;
    readonly session: Pick<Prepared['session'], 'counters'>;
  },
  { runtimeDirectory, trees }: TakenOver,
  isStandby: boolean,
): Promise<void> {
  await session.counters();
  await connected();
  // A standby has the same version as the server, so it can read the state.
  if (isStandby) return;
  const states = await Promise.all(trees.map((places) => openTakeover(places)));
  const isReadable = readConnectionRecord(runtimeDirectory) !== 'unusable';
  if (isReadable && states.length > 0 && !states.includes(undefined)) return;
  throw new MountError(
    'state-unusable',
    'What the running server has kept cannot be read by this version.',
    'Unmount, and mount again with this version.',
  );
}
