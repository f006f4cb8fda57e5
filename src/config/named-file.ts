import { readFileSync } from 'node:fs';
import { systemCode } from '../base/system-error.ts';
import { ConfigError } from './config-error.ts';

/**
 * Reads the text of a file that the user names. `what` describes the file in the error. Throws ConfigError
 * `unreadable-file`.
 */
export function readNamedFile(file: string, what: string, hint: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = systemCode(error) ?? error;
    throw new ConfigError('unreadable-file', `${what} ${file} cannot be read (${reason}).`, hint, error);
  }
}
