import type { Logger } from '../base/logger.ts';
import { replaceFile } from '../base/replace-file.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { SyncOptions } from '../sync/sync.ts';

/** The minimum time between two writes. The stored time may be too old by this much. */
const NOTE_MS = 30_000;
const MOST_BYTES = 64;

/**
 * Records in a file when the store last answered, so that a server which starts without a store knows how old its tree
 * is. It does not fsync: after a crash of the host the recorded time may be too old, never too new.
 */
export function keepLastSuccess(file: string, log: Logger): Pick<SyncOptions, 'lastSuccessAt' | 'onSuccess'> {
  let notedAt = Number.NEGATIVE_INFINITY;
  let told = false;
  const onSuccess = (at: number): void => {
    if (Math.abs(at - notedAt) < NOTE_MS) return;
    notedAt = at;
    try {
      replaceFile(file, String(at));
    } catch (error) {
      // A failing disk is reported elsewhere; losing this timestamp is harmless.
      if (!told)
        log.debug(
          { event: 'last-success-not-kept', file, err: error },
          'the time of the last successful check of the store cannot be stored',
        );
      told = true;
    }
  };
  return { lastSuccessAt: read(file), onSuccess };
}

function read(file: string): number | undefined {
  try {
    const at = Number(readOwnFile(file, MOST_BYTES).toString('latin1'));
    return Number.isFinite(at) && at > 0 ? at : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
