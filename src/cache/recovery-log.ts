import type { Logger } from './ports.ts';
import type { Recovered } from './recovery.ts';

const FOREIGN_SAMPLES = 5;

/** Logs what the scan of the cache directory at a start has found. */
export function logRecovery(
  { blobs, temporaries, corrupt, foreign, damagedOrder }: Recovered,
  log: Logger,
): void {
  log.info(
    { event: 'cache-recovered', blobs: blobs.length, temporaries, corrupt },
    'scanned the cache directory: kept `blobs`, removed `temporaries` and `corrupt` files',
  );
  if (damagedOrder)
    log.warn(
      { event: 'cache-order-lost' },
      "the cache's order of eviction cannot be read; blobs are evicted by age",
    );
  if (foreign.length > 0) {
    const samples = foreign.slice(0, FOREIGN_SAMPLES);
    log.warn(
      { event: 'cache-foreign-files', entries: foreign.length, samples },
      'the cache directory contains files that dagmount did not create; it leaves them unchanged',
    );
  }
}
