import { startCli } from '../../src/cli/start-cli.ts';
import * as server from '../../src/server/server.ts';
import { systemClock } from '../../src/sync/system-clock.ts';
import { FastClock } from './fast-clock.ts';

/**
 * The command with a faster clock for polls, waits and mtimes: it runs TEST_CLOCK_RATE times as fast as the host's.
 * Publications are whole seconds apart, and a day of them takes too long for a test.
 */
const clock = new FastClock(Number(process.env.TEST_CLOCK_RATE));
Object.assign(systemClock, {
  now: () => clock.now(),
  sleep: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
} satisfies Partial<typeof systemClock>);

startCli(async () => server);
