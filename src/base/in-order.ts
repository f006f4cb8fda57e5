import pLimit from 'p-limit';

export interface InOrderOptions {
  /** How many items are processed at a time. */
  readonly concurrency: number;
  /**
   * The maximum number of items whose work has begun and whose results were not yielded yet. Bounds the
   * results that wait for an earlier one.
   */
  readonly ahead: number;
  readonly signal: AbortSignal;
}

/**
 * Processes several items concurrently and yields the results in the order of the items. The first failure aborts
 * the other items and is thrown. When the iteration ends, no work continues in the background.
 */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: InOrderOptions,
): AsyncGenerator<Result, void, undefined> {
  const abort = new AbortController();
  const signal = AbortSignal.any([options.signal, abort.signal]);
  const limit = pLimit(options.concurrency);
  const results: Promise<Result>[] = [];
  let failure: { readonly error: unknown } | undefined;
  let begun = 0;
  const begin = (item: Item): void => {
    const result = limit(() => work(item, signal));
    result.catch((error: unknown) => {
      failure ??= { error };
      abort.abort();
    });
    results.push(result);
    begun++;
  };
  try {
    for (let given = 0; given < items.length; given++) {
      for (const item of items.slice(begun, given + options.ahead)) begin(item);
      const result = await results[0];
      results.shift();
      yield result as Result;
    }
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    abort.abort();
    await Promise.allSettled(results);
  }
}
