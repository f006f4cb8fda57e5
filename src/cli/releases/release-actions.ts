/** The actions of `dagmount release`, for the command and for completion. */
export const releaseActions = ['show', 'diff', 'verify', 'export', 'gc'] as const;
