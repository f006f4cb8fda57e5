/** What `dagmount release` does, for the command and for completion. */
export const releaseActions = ['show', 'diff', 'verify', 'export', 'gc'] as const;
