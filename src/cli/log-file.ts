import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const MODE = 0o600;

/**
 * Opens a log for appending; creates it for this user alone if it is missing. Follows no symbolic link, because in /tmp
 * another user's link could lead anywhere.
 */
export function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  return openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, MODE);
}

/**
 * The log of a mount in the background. The log is in the runtime directory, which is in memory. So LogFile
 * renames the log before it would exceed `limitBytes`, and keeps only the last renamed log.
 */
export class LogFile {
  readonly #path: string;
  readonly #limitBytes: number;
  #fd: number;
  #bytes: number;
  #lost = 0;

  constructor(path: string, limitBytes = 8 * 2 ** 20) {
    this.#path = path;
    this.#limitBytes = limitBytes;
    this.#fd = openLog(path);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Writes a line. Does not throw if the disk is full, because a mount must continue without its log. */
  write(line: string): void {
    try {
      if (this.#bytes > 0 && this.#bytes + line.length > this.#limitBytes) this.#rotate();
      const text = this.#lost === 0 ? line : `(${this.#lost} messages could not be written)\n${line}`;
      this.#bytes += writeSync(this.#fd, text);
      this.#lost = 0;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#lost += 1;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    renameSync(this.#path, `${this.#path}.1`);
    const next = openLog(this.#path);
    closeSync(this.#fd);
    this.#fd = next;
    this.#bytes = fstatSync(next).size;
  }
}
