import { setTimeout as delay } from 'node:timers/promises';
import { startCli } from '../../src/cli/start-cli.ts';
import * as server from '../../src/server/server.ts';
import { systemClock } from '../../src/sync/system-clock.ts';

/**
 * The command with a clock for polls, waits and mtimes that runs TEST_CLOCK_RATE times as fast as the host's: publications
 * are whole seconds apart, of which a day has too many for a test.
 */
const rate = Number(process.env.TEST_CLOCK_RATE);
const began = Date.now();
Object.assign(systemClock, {
  now: () => began + (Date.now() - began) * rate,
  sleep: (ms: number, signal: AbortSignal) => delay(ms / rate, undefined, { signal }),
} satisfies Partial<typeof systemClock>);

startCli(async () => server);
