import { readFileSync } from 'node:fs';
import { replaceFile } from '../base/replace-file.ts';
import { isSystemError } from '../base/system-error.ts';
import type { StoreTrait, TraitsKeeper } from '../sync/etag-witness.ts';

/**
 * Stores findings about a store in a file, so that a server that takes over can from its start read all that
 * its predecessor could read. `supervisor` is the id of the process that starts servers one after another.
 * The finding that ETags are no MD5s is used only by servers of the same supervisor: the first server of each
 * supervisor makes it anew. Does not fsync, and ignores failures, because a lost finding is made again.
 */
export function keepStoreTraits(file: string, supervisor: number): TraitsKeeper {
  return {
    recall: () => read(file, supervisor),
    keep: (traits) => {
      try {
        replaceFile(file, JSON.stringify({ traits, supervisor }));
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}

function read(file: string, supervisor: number): readonly StoreTrait[] {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof kept !== 'object' || kept === null || !('traits' in kept) || !Array.isArray(kept.traits)) {
      return [];
    }
    const isHeir = 'supervisor' in kept && kept.supervisor === supervisor;
    return kept.traits.filter(
      (trait): trait is StoreTrait => trait === 'own-listing-etags' || (trait === 'no-md5-etags' && isHeir),
    );
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return [];
    throw error;
  }
}
