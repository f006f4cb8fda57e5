import type { RevalidationOptions, Stage } from './revalidation-options.ts';

/** Runs one stage and reports its duration in seconds, also after a failure. */
export async function timed<T>(
  { clock, observeStage }: Pick<RevalidationOptions, 'clock' | 'observeStage'>,
  stage: Stage,
  run: () => Promise<T>,
): Promise<T> {
  const before = clock.now();
  try {
    return await run();
  } finally {
    observeStage(stage, Math.max(0, clock.now() - before) / 1000);
  }
}
