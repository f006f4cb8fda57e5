import { readFileSync } from 'node:fs';
import { systemCode } from '../../base/system-error.ts';
import { ConfigError } from '../../config/config-error.ts';
import { type AllowedSigner, readAllowedSigners } from '../../release/index.ts';

/** Undefined if no file is given. Throws ConfigError `unreadable-file` or ReleaseError `bad-signers-file`. */
export function signersOf(file: string | undefined): readonly AllowedSigner[] | undefined {
  return file === undefined ? undefined : readSigners(file);
}

/** Throws ConfigError `unreadable-file` or ReleaseError `bad-signers-file`. */
export function readSigners(file: string): readonly AllowedSigner[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = systemCode(error) ?? error;
    throw new ConfigError(
      'unreadable-file',
      `The allowed signers in ${file} cannot be read (${reason}).`,
      'Check the path and its permissions.',
      error,
    );
  }
  return readAllowedSigners(text);
}
