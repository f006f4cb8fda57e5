import type { Persister, TakeoverState } from './ports.ts';

/** The stage "persist": writes the candidate beside the current state, which stays valid if a crash follows. */
export async function persist(persister: Persister, state: TakeoverState): Promise<void> {
  await persister.persist(state);
}

/** Persists nothing: the next start lists again. */
export const noPersistence: Persister = {
  troubles: [],
  persist: () => Promise.resolve(),
  commit: () => Promise.resolve(),
  acknowledged: () => undefined,
};
