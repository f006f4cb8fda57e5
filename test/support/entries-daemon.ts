import '../../src/host/no-debugger.ts';
import { runMain } from '../../src/cli/run-main.ts';

/** The command with the sessions of {@link testedEntries}. */
await runMain(async () => {
  const server = await import('../../src/server/server.ts');
  const { testedEntries } = await import('./tested-entries.ts');
  const wiring = { entries: testedEntries() };
  return { ...server, serve: (config, options) => server.serve(config, options, wiring) };
});
