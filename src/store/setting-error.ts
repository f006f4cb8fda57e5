import { CodedError } from '../base/coded-error.ts';

/** An unusable value in flags, environment or files. */
export type SettingErrorCode = 'bad-setting';

/** A setting is unusable; nothing was sent to a store. */
export class SettingError extends CodedError<SettingErrorCode> {
  override readonly name = 'SettingError';
}
