/** An error as every folder has them. */
export class TypedError extends Error {
  readonly code: string;
  readonly mend: string;

  constructor(code: string, message: string, mend: string) {
    super(message);
    this.code = code;
    this.mend = mend;
  }
}
