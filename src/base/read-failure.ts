/** Why content cannot be had: the store does not give it now, or it has another version in its place, or none. */
export type ReadFailure = 'unavailable' | 'replaced';
