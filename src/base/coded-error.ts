/**
 * An error that tells users what is wrong (message) and what to do (hint), and programs what it is (code). A
 * code never changes; a message may change.
 */
export abstract class CodedError<Code extends string> extends Error {
  abstract override readonly name: string;
  readonly code: Code;
  /** What to do, one sentence. */
  readonly hint: string;

  constructor(code: Code, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
