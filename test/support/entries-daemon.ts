import '../../src/host/no-debugger.ts';
import { runMain } from '../../src/cli/run-main.ts';

/**
 * The command with sessions that a test sets up: with TEST_WITHOUT_RESEND the kernel sends nothing again after a takeover,
 * and fuse-native has the times of TEST_ALONE_MS and TEST_CACHE_SECONDS.
 */
const { TEST_WITHOUT_RESEND, TEST_ALONE_MS, TEST_CACHE_SECONDS } = process.env;
const isTimed = TEST_ALONE_MS !== undefined || TEST_CACHE_SECONDS !== undefined;

await runMain(async () => {
  const server = await import('../../src/server/server.ts');
  const { entries } = await import('../../src/server/entries.ts');
  const tested = {
    ...entries,
    ...(TEST_WITHOUT_RESEND !== undefined && {
      sessionWorker: new URL('entries/without-resend.js', import.meta.url),
    }),
    ...(isTimed && { fuseNativeProcess: new URL('entries/patient-fuse-native.js', import.meta.url) }),
  };
  return { ...server, serve: (config, options) => server.serve(config, options, { entries: tested }) };
});
