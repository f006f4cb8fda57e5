/** A value in flags, environment or files that cannot be used. */
export type SettingErrorCode = 'bad-setting';

/** What was set cannot be used: nothing was sent to a store. */
export class SettingError extends Error {
  readonly code: SettingErrorCode;
  /** What to do, one sentence. */
  readonly hint: string;

  constructor(
    code: SettingErrorCode,
    message: string,
    hint: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'SettingError';
    this.code = code;
    this.hint = hint;
  }
}
