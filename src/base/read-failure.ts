/** Why content is unavailable: the store does not deliver it now, or has another version, or none. */
export type ReadFailure = 'unavailable' | 'replaced';
