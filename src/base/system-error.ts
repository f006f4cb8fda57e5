const SHORT_OF_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

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

/** Whether the code means that the disk or the user's quota is full, so that to remove something may help. */
export function isShortOfRoom(code: string | undefined): boolean {
  return SHORT_OF_ROOM.has(code);
}
