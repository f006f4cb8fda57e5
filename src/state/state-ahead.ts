import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/system-error.ts';
import { isOwn } from '../host/own-file.ts';
import { READ_FLAGS } from '../host/pinned.ts';
import { StateError } from './state-error.ts';
import { type ReadState, readState } from './state-file.ts';
import { HEAD_BYTES } from './state-header.ts';
import { takeoverPaths } from './takeover-file.ts';

/** How often the file is compared with what was read, in milliseconds. */
const LOOK_MS = 5_000;

export interface StateAheadOptions {
  readonly runtimeDirectory: string;
  readonly mountId: string;
  /** A larger file is not read in advance, because a standby needs little memory. */
  readonly mostBytes: number;
  readonly lookMs?: number;
}

/**
 * The state in force, read while another server still serves. Only reads, and reads again after each publication of
 * that server.
 */
export class StateAhead {
  readonly #path: string;
  readonly #options: StateAheadOptions;
  #read: ReadState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: StateAheadOptions) {
    this.#options = options;
    this.#path = takeoverPaths(options.runtimeDirectory).current;
  }

  /** Reads the state, and from now on follows it until `stop` is called. */
  async follow(): Promise<void> {
    if (this.#isStopped) return;
    await this.#look();
    if (this.#isStopped) return;
    const again = (): void => void this.follow();
    this.#timer = setTimeout(again, this.#options.lookMs ?? LOOK_MS);
    this.#timer.unref();
  }

  /** From now on, nothing is read or kept but what `take` returns. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Returns the state that was read if it is still the one in force; otherwise undefined. The head of the file, which
   * has a checksum of the rest, is read again for that.
   */
  get current(): ReadState | undefined {
    const found = this.#head();
    return found !== undefined && this.#read?.head.equals(found.head) === true ? this.#read : undefined;
  }

  /** Does the same as `current`, and keeps nothing: the state is to be used. */
  take(): ReadState | undefined {
    const { current } = this;
    this.#read = undefined;
    return current;
  }

  async #look(): Promise<void> {
    const { mountId, mostBytes } = this.#options;
    const found = this.#head();
    if (found !== undefined && this.#read?.head.equals(found.head) === true) return;
    this.#read = undefined;
    if (found === undefined || found.size > mostBytes) return;
    try {
      const read = await readState(this.#path, mountId);
      if (!this.#isStopped) this.#read = read;
    } catch (error) {
      // The server that takes over reads the file itself, and reports the error.
      if (!(error instanceof StateError || isSystemError(error))) throw error;
    }
  }

  /** Returns the head and the size of the file, which is on a tmpfs; undefined if there is no usable file. */
  #head(): { readonly head: Buffer; readonly size: number } | undefined {
    try {
      const fd = openSync(this.#path, READ_FLAGS);
      try {
        const stats = fstatSync(fd);
        const head = Buffer.alloc(HEAD_BYTES);
        const isHead = stats.isFile() && isOwn(stats) && readSync(fd, head, 0, HEAD_BYTES, 0) === HEAD_BYTES;
        return isHead ? { head, size: stats.size } : undefined;
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }
}
