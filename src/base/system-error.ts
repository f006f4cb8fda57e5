export interface SystemError extends Error {
  /** The errno's name, upper case. */
  readonly code: string;
  readonly syscall: string;
}

/** Whether a system call failed, as opposed to a bug of dagmount. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** The errno's name, or the code that Node.js gives a failure of its own; undefined: the error has none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
