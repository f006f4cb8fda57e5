import { CodedError } from '../base/coded-error.ts';

/**
 * - `usage`: flags or arguments that cannot be understood
 * - `malformed-address`: a text is not a valid s3:// address
 * - `unknown-key`: a key of a file, or a DAGMOUNT_ variable, that names no option
 * - `bad-value`: a value that its option does not allow
 * - `untrusted-project`: a project file that another user may have written
 * - `unreadable-file`: a file that an option names, or the project file, cannot be read
 * - `unparsable-file`: a configuration or project file is not YAML, or not a YAML mapping
 * - `runtime-unsafe`: another user owns the runtime directory or may write to it
 * - `runtime-unwritable`: the runtime directory cannot be made
 */
export type ConfigErrorCode =
  | 'usage'
  | 'malformed-address'
  | 'unknown-key'
  | 'bad-value'
  | 'untrusted-project'
  | 'unreadable-file'
  | 'unparsable-file'
  | 'runtime-unsafe'
  | 'runtime-unwritable';

/** The requested configuration is impossible. The message says what is wrong; the hint says what to do. */
export class ConfigError extends CodedError<ConfigErrorCode> {
  override readonly name = 'ConfigError';
}
