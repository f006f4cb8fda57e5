import type { Persister, TakeoverState } from './ports.ts';

/** The stage "persist": the candidate is on disk beside the state in force, which a crash leaves as it was. */
export async function persist(persister: Persister, state: TakeoverState): Promise<void> {
  await persister.persist(state);
}

/** Keeps nothing: the next start lists anew. */
export const noPersistence: Persister = {
  troubles: [],
  persist: () => Promise.resolve(),
  commit: () => Promise.resolve(),
  acknowledged: () => undefined,
};
