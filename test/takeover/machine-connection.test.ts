import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compilerMissing, MachineProgram } from './machine-program.ts';

const WATCHDOG_MS = 10_000;
const DEADLINE_MS = 20_000;

const machine = new MachineProgram('sanitized', 'plain');

/** Undefined stands for a deadline, each with another file. */
const EVENTS = [
  undefined,
  'STORES_CONNECTION name=fuse',
  'REMOVES_CONNECTION name=fuse',
  'IS_ALIVE',
  'WANTS_STANDBY',
  'SERVER_DIED end=signal value=9 text=killed',
];

/** A random history of servers that start slowly, mount, serve and die. */
function historyOf(seed: number): readonly string[] {
  let random = seed;
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  const lines = Array.from({ length: 300 }, (_, index) => {
    if (next(10) > 0) return `time ${next(2) === 0 ? 20 : 1000}`;
    const event = EVENTS[next(EVENTS.length)];
    return `event ${event ?? `SETS_DEADLINE deadline=${DEADLINE_MS} text=/${index}`}`;
  });
  return [`at STARTING ABSENT NO_CONNECTION watchdog=${WATCHDOG_MS} deadline=${DEADLINE_MS}`, ...lines];
}

/** Histories, each with the machine's answers to its lines. One process plays all of them. */
function play(run: (lines: readonly string[]) => readonly string[]) {
  const histories = Array.from({ length: 200 }, (_, seed) => historyOf(seed));
  const answers = run(histories.flat());
  return histories.map(([, ...lines], number) =>
    lines.map((line, index) => ({ line, answer: answers[number * lines.length + index] ?? '' })),
  );
}

describe('a connection that a server stores', { skip: compilerMissing }, () => {
  test('is not taken from that server as long as the watchdog waits, however long the server took before', (t) => {
    let [stored, silent] = [0, 0];
    for (const history of play((lines) => machine.run(t, lines) ?? [])) {
      let sinceMs = Number.POSITIVE_INFINITY;
      for (const { line, answer } of history) {
        if (line.startsWith('time ')) sinceMs += Number(line.slice('time '.length));
        if (answer.includes(' KEEP 0 fuse')) {
          sinceMs = 0;
          stored += 1;
        }
        if (!answer.includes(' RECORD_THREADS ')) continue;
        silent += 1;
        assert.ok(sinceMs > WATCHDOG_MS, `${line}: ${answer}`);
      }
    }
    assert.ok(stored > 100 && silent > 10, `${stored} connections, ${silent} silent servers`);
  });

  test('is aborted by no file but the last one that a server named for it', (t) => {
    const counts = { named: 0, unnamed: 0 };
    for (const history of play((lines) => machine.run(t, lines) ?? [])) {
      let file = '';
      for (const { line, answer } of history) {
        const isTaken = /^(STARTING|SERVING|LEAVING) /.test(answer);
        if (isTaken && line.startsWith('event SETS_DEADLINE ')) file = line.split(' text=')[1] ?? '';
        if (answer.includes(' KEEP 0 fuse')) file = '';
        const aborts = / ABORT_CONNECTION 0 (\S*)/.exec(answer);
        if (aborts === null) continue;
        counts[file === '' ? 'unnamed' : 'named'] += 1;
        assert.equal(aborts[1], file, `${line}: ${answer}`);
      }
    }
    assert.ok(counts.named > 5 && counts.unnamed > 5, JSON.stringify(counts));
  });
});
