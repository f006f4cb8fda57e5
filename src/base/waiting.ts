import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** A promise with its resolve and reject functions: Node 20 lacks Promise.withResolvers. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** The part of an AbortSignal that orAborted() uses; the store's cheaper Stop has it, too. */
interface Abortable {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Settles like `promise`, or rejects with the reason of an aborted signal. The awaited work continues. */
export function orAborted<T>(promise: Promise<T>, signal: Abortable): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    // Still listen to the promise: otherwise a later rejection would be unhandled.
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Resolves when `promise` has settled, or after `ms` milliseconds. Does not keep the process running. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, delay(ms, undefined, { ref: false })]);
}

/**
 * Returns a controller that aborts together with `signal`, until `release` is called. AbortSignal.any is not
 * used, because on Node 20 each use leaks memory on a signal that lives as long as the process.
 */
export function childOf(signal: AbortSignal): { readonly controller: AbortController; release(): void } {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return { controller, release: () => signal.removeEventListener('abort', abort) };
}

export interface Alarm {
  /** Whether the time was over before the alarm was stopped. */
  readonly rang: boolean;
  stop(): void;
}

/** Calls `ring` after `ms` milliseconds, unless the alarm is stopped first. */
export function startAlarm(clock: Pick<Clock, 'alarm'>, ms: number, ring: () => void): Alarm {
  const alarm = {
    rang: false,
    stop: clock.alarm(ms, () => {
      alarm.rang = true;
      ring();
    }),
  };
  return alarm;
}
