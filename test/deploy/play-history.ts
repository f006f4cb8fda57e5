import assert from 'node:assert/strict';
import { collect } from '../../src/deploy/collect.ts';
import { readStanding, type Standing } from '../../src/deploy/current-step.ts';
import { deploy } from '../../src/deploy/deploy.ts';
import { promote, rollback } from '../../src/deploy/move.ts';
import type { ReleaseStore } from '../../src/deploy/release-store.ts';
import type { SourceFile } from '../../src/deploy/source-files.ts';
import { checkEnvironment, requireReadable } from './check-history.ts';
import { deployOptions, wordsOf } from './deploy-options.ts';
import { FaultyReleaseStore, Killed, LostAnswer } from './faulty-release-store.ts';
import { MemoryReleaseStore } from './memory-release-store.ts';
import {
  type Attempt,
  COLLECTOR,
  deployedOf,
  ENVIRONMENTS,
  type History,
  type Operation,
} from './operations.ts';
import { SharedTime } from './shared-time.ts';
import { WatchedRoot } from './watched-root.ts';

/** Condemned objects may be deleted after two hours. */
const GRACE_MINUTES = 121;

/** Lets the four actors of a history act on an empty release root, then checks the result. */
export async function playHistory(
  history: History,
  store: ReleaseStore,
  file: (path: string, content: number) => SourceFile,
): Promise<void> {
  const attempts: Attempt[] = [];
  const time = new SharedTime(COLLECTOR);
  const watched = store instanceof MemoryReleaseStore ? new WatchedRoot(store, time.now) : undefined;
  if (store instanceof MemoryReleaseStore) store.now = time.now;
  await Promise.all(
    history.map(async (operations, actor) => {
      for (const [at, operation] of operations.entries()) {
        const message = `actor ${actor}, operation ${at}`;
        const attempt: Attempt = { message, operation, end: 'unknown', seen: undefined };
        attempts.push(attempt);
        if (actor === COLLECTOR) await time.collectorsTurn();
        if (watched !== undefined && operation.kind === 'collect') watched.keep = operation.keep;
        attempt.end = await carryOut(attempt, store, time, file);
        if (actor === COLLECTOR) time.collected();
        else time.deployed();
      }
      time.end(actor === COLLECTOR ? 'collector' : 'deployer');
    }),
  );
  for (const environment of ENVIRONMENTS) {
    const { step } = await readStanding(store, environment, new AbortController().signal);
    if (step !== undefined) await requireReadable(step, store);
  }
  // A last deploy completes what an earlier one left open; it is no part of the history.
  for (const environment of ENVIRONMENTS) {
    const last: Operation = {
      kind: 'tree',
      contents: [0, 1, 2, 0],
      environment,
      killed: undefined,
      lost: undefined,
      stalled: undefined,
    };
    const attempt: Attempt = {
      message: `last ${environment}`,
      operation: last,
      end: 'unknown',
      seen: undefined,
    };
    attempts.push(attempt);
    attempt.end = await carryOut(attempt, store, time, file);
  }
  for (const environment of ENVIRONMENTS) await checkEnvironment(environment, store, attempts, file);
  if (watched !== undefined) await checkCollector(watched, store, time);
}

function pausedOf(operation: Operation): number {
  return operation.kind === 'collect' ? operation.paused : 0;
}

/** Running alone, the collector leaves only what is needed. */
async function checkCollector(watched: WatchedRoot, store: ReleaseStore, time: SharedTime): Promise<void> {
  watched.keep = 1;
  for (let times = 0; times < 2; times++) {
    await collectAll(store, 1, time);
    await time.pass(GRACE_MINUTES);
  }
  await collectAll(store, 1, time);
  assert.deepEqual([...watched.collectable()].sort(), [...watched.needed()].sort());
}

function collectAll(store: ReleaseStore, keep: number, time: SharedTime): Promise<unknown> {
  const { signal } = new AbortController();
  return collect(true, { store, keep, youngerThanMs: 0, concurrency: 4, now: time.now, signal });
}

async function carryOut(
  attempt: Attempt,
  inner: ReleaseStore,
  time: SharedTime,
  file: (path: string, content: number) => SourceFile,
): Promise<Attempt['end']> {
  const { signal } = new AbortController();
  const { message, operation } = attempt;
  const { environment, killed, lost, stalled } = operation;
  const store = new FaultyReleaseStore(inner, { killed, lost, stalled, paused: pausedOf(operation) }, time);
  const options = deployOptions({
    store,
    environment,
    words: wordsOf('a', message),
    allowDeletions: true,
    check: async (_: unknown, __: unknown, { step }: Standing) => {
      attempt.seen ??= step?.payload.sequence ?? 0;
    },
    now: time.now,
    signal,
  });
  try {
    switch (operation.kind) {
      case 'tree':
      case 'file':
      case 'remove': {
        const end = await deploy(deployedOf(operation, file), options);
        return end.kind === 'deployed' ? 'taken' : 'not-taken';
      }
      case 'promote':
        await promote('staging', { ...options, environment: 'production' });
        return 'taken';
      case 'rollback': {
        const { step } = await readStanding(store, environment, signal);
        const sequence = Math.max(1, (step?.payload.sequence ?? 1) - operation.steps);
        await rollback(
          operation.steps === 0 ? { kind: 'previous' } : { kind: 'sequence', sequence },
          options,
        );
        return 'taken';
      }
      case 'collect':
        await collectAll(store, operation.keep, time);
        return 'not-taken';
      case 'wait':
        await time.pass(operation.minutes);
        return 'not-taken';
    }
  } catch (error) {
    if (error instanceof Killed || error instanceof LostAnswer) return 'unknown';
    const { code } = error as { readonly code?: unknown };
    // The refusals that a deployer may get. Any other error is a fault.
    const isRefusal = ['overtaken', 'no-such-release', 'unusable-source', 'check-failed'].includes(
      String(code),
    );
    assert.ok(isRefusal, error instanceof Error ? error.stack : String(error));
    return 'not-taken';
  }
}
