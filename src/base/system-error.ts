export interface SystemError extends Error {
  /** The name of the errno, in upper case. */
  readonly code: string;
  readonly syscall: string;
}

/** Whether the error is that of a failed system call, as opposed to a bug of dagmount. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** The name of the errno, or the code that Node.js gives to an error of its own; undefined without a code. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
