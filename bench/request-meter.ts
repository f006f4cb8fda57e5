import { RequestMeter } from '../src/session/request-meter.ts';

/** What counting and timing one request costs the session: `node dist/bench/request-meter.js`. */
const ROUNDS = 2_000_000;
const KINDS = ['lookup', 'read', 'readdirplus', 'getattr'] as const;

function nanosecondsEach(run: (round: number) => void): number {
  for (let round = 0; round < ROUNDS / 10; round++) run(round);
  const began = process.hrtime.bigint();
  for (let round = 0; round < ROUNDS; round++) run(round);
  return Number(process.hrtime.bigint() - began) / ROUNDS;
}

const meter = new RequestMeter(RequestMeter.memory());
const measured = [1, 2, 3, 4, 5].map(() =>
  nanosecondsEach((round) => {
    const kind = KINDS[round & 3] as string;
    const before = performance.now();
    meter.came(kind);
    meter.took(kind, performance.now() - before);
  }),
);
const best = Math.min(...measured);
console.log(`one request, counted and timed: ${best.toFixed(0)} ns at best of ${measured.length} runs`);
