import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Logger } from '../base/logger.ts';
import { HostError } from '../host/host-error.ts';
import { readOwnFile } from '../host/own-file.ts';
import type { SyncOptions } from '../sync/sync.ts';

/** Between two notes: what is read back is at most so much too old. */
const NOTE_MS = 30_000;
const FILE_MODE = 0o600;
const MOST_BYTES = 64;

/**
 * Keeps in a file when the store was last seen, so that a start without a store says how old its tree is. Without
 * fsync: after a crash of the host it may be older than it was, never newer.
 */
export function keepLastSuccess(file: string, log: Logger): Pick<SyncOptions, 'lastSuccessAt' | 'onSuccess'> {
  let notedAt = Number.NEGATIVE_INFINITY;
  let told = false;
  const onSuccess = (at: number): void => {
    if (Math.abs(at - notedAt) < NOTE_MS) return;
    notedAt = at;
    const temporary = `${file}.tmp`;
    try {
      writeFileSync(temporary, String(at), { mode: FILE_MODE });
      renameSync(temporary, file);
    } catch (error) {
      // A disk that takes nothing is told of elsewhere, and loses no more by this.
      if (!told)
        log.debug(
          { event: 'last-success-not-kept', file, err: error },
          'the time of the last successful check of the store cannot be stored',
        );
      told = true;
      rmSync(temporary, { force: true });
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
