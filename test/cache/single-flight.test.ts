import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flight, SingleFlight } from '../../src/cache/single-flight.ts';
import { waitFor } from '../support/wait-for.ts';

interface Work {
  readonly flight: Flight;
  readonly finish: (value: number) => void;
  readonly fail: (error: Error) => void;
}

/** Work that a test ends. Unless `deaf`, it also ends when its signal aborts. */
class Bench {
  readonly flights = new SingleFlight<number>();
  readonly works: Work[] = [];
  deaf = false;

  ask(signal: AbortSignal = new AbortController().signal, urgent = false): Promise<number> {
    return this.flights.run('key', { signal, urgent }, (flight) => this.#work(flight));
  }

  #work(flight: Flight): Promise<number> {
    return new Promise((resolve, reject) => {
      this.works.push({ flight, finish: resolve, fail: reject });
      if (!this.deaf) flight.signal.addEventListener('abort', () => reject(flight.signal.reason));
    });
  }
}

test('all callers for one key share one result while it is worked on', async () => {
  const bench = new Bench();
  const answers = [bench.ask(), bench.ask(), bench.ask()];
  bench.works[0]?.finish(7);
  assert.deepEqual(await Promise.all(answers), [7, 7, 7]);
  assert.equal(bench.works.length, 1);
  assert.equal(bench.flights.size, 0);
});

test('all callers share one error, and the next call starts again', async () => {
  const bench = new Bench();
  const answers = [bench.ask(), bench.ask()];
  bench.works[0]?.fail(new Error('broken'));
  for (const answer of answers) await assert.rejects(answer, /broken/);
  const again = bench.ask();
  bench.works[1]?.finish(8);
  assert.equal(await again, 8);
});

test('a caller that stops waiting gets the reason at once, and the others get the result', async () => {
  const bench = new Bench();
  const leaving = new AbortController();
  const first = bench.ask(leaving.signal);
  const second = bench.ask();
  const reason = new Error('killed');
  leaving.abort(reason);
  await assert.rejects(first, reason);
  assert.equal(bench.works[0]?.flight.signal.aborted, false);
  bench.works[0]?.finish(1);
  assert.equal(await second, 1);
});

test('when the last one stops waiting, the work is aborted', async () => {
  const bench = new Bench();
  const one = new AbortController();
  const other = new AbortController();
  const answers = [bench.ask(one.signal), bench.ask(other.signal)];
  one.abort();
  assert.equal(bench.works[0]?.flight.signal.aborted, false);
  other.abort();
  assert.equal(bench.works[0]?.flight.signal.aborted, true);
  for (const answer of answers) await assert.rejects(answer);
});

test('a call during the end of aborted work waits for that end, and never runs beside it', async () => {
  const bench = new Bench();
  bench.deaf = true;
  const leaving = new AbortController();
  const first = bench.ask(leaving.signal);
  leaving.abort();
  await assert.rejects(first);
  const second = bench.ask();
  const third = bench.ask();
  assert.equal(bench.works.length, 1);
  bench.works[0]?.finish(1);
  await waitFor('the second work', () => bench.works.length === 2);
  bench.works[1]?.finish(2);
  assert.deepEqual(await Promise.all([second, third]), [2, 2]);
  assert.equal(bench.works.length, 2);
});

test('a call with an aborted signal starts nothing', async () => {
  const bench = new Bench();
  await assert.rejects(bench.ask(AbortSignal.abort(new Error('gone'))), /gone/);
  assert.equal(bench.works.length, 0);
});

test('work becomes urgent when an urgent caller joins', () => {
  const bench = new Bench();
  void bench.ask();
  assert.equal(bench.works[0]?.flight.urgent, false);
  void bench.ask(undefined, true);
  void bench.ask();
  assert.equal(bench.works[0]?.flight.urgent, true);
});

test('the end aborts all work and waits for it', async () => {
  const bench = new Bench();
  const answer = bench.ask();
  const ended = bench.flights.end(new Error('closed'));
  await assert.rejects(answer, /closed/);
  await ended;
  assert.equal(bench.flights.size, 0);
});
