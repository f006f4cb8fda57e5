import type { Clock } from './clock.ts';

/** A promise and its ends: Promise.withResolvers, which Node 20 lacks. */
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

/** The part of an AbortSignal that is needed, which the store's cheaper Stop also has. */
interface Abortable {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Waits until the signal is aborted at the latest: then rejects with its reason. The awaited work continues. */
export function orAborted<T>(promise: Promise<T>, signal: Abortable): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    // Still listen to the promise: otherwise a later rejection would be unhandled.
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * A controller that `signal` also aborts, until it is released. Not AbortSignal.any: on Node 20 each use leaks memory
 * on a signal that lives as long as the process.
 */
export function childOf(signal: AbortSignal): { readonly controller: AbortController; release(): void } {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return { controller, release: () => signal.removeEventListener('abort', abort) };
}

export interface Alarm {
  /** Whether the time was over before it was stopped. */
  readonly rang: boolean;
  stop(): void;
}

/** Calls `ring` after so many milliseconds, unless it is stopped before. */
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
