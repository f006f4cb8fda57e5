import assert from 'node:assert/strict';
import { type RefLook, RefWatch, type RefWatchOptions } from '../../../src/source/release/ref-watch.ts';
import { VolatileStepMemory } from '../../../src/source/release/step-memory.ts';
import { ENVIRONMENT, ROOT, type WrittenRoot } from './written-root.ts';

export const { signal } = new AbortController();
export const HOUR = 3_600_000;

/** The options of a node that has seen nothing yet, and whose clock is that of the store. */
export function optionsOf(store: WrittenRoot): RefWatchOptions {
  return {
    reader: store,
    root: ROOT,
    environment: ENVIRONMENT,
    signers: undefined,
    minSequence: 0,
    memory: new VolatileStepMemory(),
    clock: { now: () => store.now },
  };
}

export function watchOf(store: WrittenRoot, options: Partial<RefWatchOptions> = {}): RefWatch {
  return new RefWatch({ ...optionsOf(store), ...options });
}

export function released(look: RefLook): string {
  assert.equal(look.kind, 'release', JSON.stringify(look));
  return look.release.step.digest;
}

export function reasonOf(look: RefLook): string {
  assert.equal(look.kind, 'held', JSON.stringify(look));
  assert.match(look.hold.detail, /\S/);
  assert.match(look.hold.hint, /\.$/);
  return look.hold.reason;
}
