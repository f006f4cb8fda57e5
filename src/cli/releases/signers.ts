import { readNamedFile } from '../../config/named-file.ts';
import { type AllowedSigner, readAllowedSigners } from '../../release/index.ts';

/**
 * Reads a file of allowed signers; returns undefined if no file is given. Throws ConfigError
 * `unreadable-file` or ReleaseError `bad-signers-file`.
 */
export function signersOf(file: string | undefined): readonly AllowedSigner[] | undefined {
  return file === undefined ? undefined : readSigners(file);
}

/**
 * Reads a file of allowed signers. Throws ConfigError `unreadable-file` or ReleaseError `bad-signers-file`.
 */
export function readSigners(file: string): readonly AllowedSigner[] {
  const hint = 'Check the path and its permissions.';
  return readAllowedSigners(readNamedFile(file, 'The allowed signers in', hint));
}
