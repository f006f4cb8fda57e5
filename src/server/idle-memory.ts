import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How often the main thread is checked. V8 keeps the garbage of a burst until there is much more of it: after
 * fetching 10,000 files, an idle mount kept 82 MB of heap and 26 MB of buffers, of which 29 and 0 MB were in
 * use. So once the main thread is at rest, keepIdleMemorySmall() collects the garbage, and gives the memory
 * back to the kernel.
 */
const LOOK_MS = 10_000;
/** A thread that is busy for at most this share of its time is at rest. */
const BUSY_AT_REST = 0.1;
/** Less growth than this is not worth a full collection, which pauses the main thread. */
const WORTH_BYTES = 12 * 2 ** 20;

export interface Memory {
  /** Bytes of the main thread's heap and of the buffers that belong to it. */
  readonly bytes: () => number;
  /** The share of the time since the last call in which the main thread was busy. */
  readonly busy: () => number;
  /** Collects all garbage of the main thread. */
  readonly collect: () => void;
  /** Gives free memory back to the kernel. */
  readonly giveBack: () => void;
}

/** Collects the garbage that bursts leave. Returns a function that stops this. */
export function keepIdleMemorySmall(
  memory: Memory,
  every: (ms: number, look: () => void) => () => void = everyMs,
): () => void {
  let kept = 0;
  // V8 keeps most of the pages that the first collection has emptied, and gives them back at the second one.
  let isHalfDone = false;
  return every(LOOK_MS, () => {
    const isAtRest = memory.busy() <= BUSY_AT_REST;
    if (!isAtRest || (!isHalfDone && memory.bytes() < kept + WORTH_BYTES)) return;
    memory.collect();
    memory.giveBack();
    kept = memory.bytes();
    isHalfDone = !isHalfDone;
  });
}

/** The memory of this process. `giveBack`: see Addon.trimMemory. */
export function ownMemory(giveBack: () => void): Memory {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  return {
    bytes: () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    },
    busy: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect: collectAll,
    giveBack,
  };
}

/**
 * Collects all garbage. Node.js has no function for this, but V8 has `gc` in contexts that are created after
 * this flag was set.
 */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}

function everyMs(ms: number, look: () => void): () => void {
  const timer = setInterval(look, ms);
  timer.unref();
  return () => clearInterval(timer);
}
