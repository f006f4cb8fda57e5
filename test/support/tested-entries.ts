import type { Entries } from '../../src/base/entries.ts';
import { entries } from '../../src/server/entries.ts';

/**
 * The entries of a server whose sessions a test sets up: with TEST_WITHOUT_RESEND the kernel resends nothing after a
 * takeover, and fuse-native uses the times of TEST_ALONE_MS and TEST_CACHE_SECONDS.
 */
export function testedEntries(): Entries {
  const { TEST_WITHOUT_RESEND, TEST_ALONE_MS, TEST_CACHE_SECONDS } = process.env;
  const isTimed = TEST_ALONE_MS !== undefined || TEST_CACHE_SECONDS !== undefined;
  return {
    ...entries,
    ...(TEST_WITHOUT_RESEND !== undefined && {
      sessionWorker: new URL('entries/without-resend.js', import.meta.url),
    }),
    ...(isTimed && { fuseNativeProcess: new URL('entries/patient-fuse-native.js', import.meta.url) }),
  };
}
