/**
 * Why content cannot be read. `unavailable`: the store does not deliver it now. `replaced`: the store has
 * another version of it, or none.
 */
export type ReadFailure = 'unavailable' | 'replaced';
