/** An unusable value in flags, environment or files. */
export type SettingErrorCode = 'bad-setting';

/** A setting is unusable; nothing was sent to a store. */
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
