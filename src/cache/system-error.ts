export interface SystemError extends Error {
  /** The errno's name, upper case. */
  readonly code: string;
  readonly syscall: string;
}

/** Whether a system call failed, as opposed to a mistake of ours. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
