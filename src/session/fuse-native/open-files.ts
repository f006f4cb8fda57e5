import type { ContentVersion } from '../../tree/index.ts';

/** A file version that is open, even if its path shows another version by now. */
export interface OpenFile {
  readonly nodeId: number;
  /** Bytes. */
  readonly size: number;
  readonly archived: boolean;
  readonly version: ContentVersion;
}

/** libfuse allows larger handles, fuse-native 31 bits. */
const LAST_HANDLE = 0x7fffffff;

/** The open files by handle, and the number of handles for each node. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  readonly #holders = new Map<number, number>();
  #last = 0;

  get count(): number {
    return this.#files.size;
  }

  /** Adds an open file. Returns its handle, which is never 0. */
  open(file: OpenFile): number {
    do this.#last = this.#last === LAST_HANDLE ? 1 : this.#last + 1;
    while (this.#files.has(this.#last));
    this.#files.set(this.#last, file);
    this.#holders.set(file.nodeId, (this.#holders.get(file.nodeId) ?? 0) + 1);
    return this.#last;
  }

  at(handle: number): OpenFile | undefined {
    return this.#files.get(handle);
  }

  holds(nodeId: number): boolean {
    return this.#holders.has(nodeId);
  }

  /** Removes a handle. Returns the file if no other handle has its node open, otherwise undefined. */
  release(handle: number): OpenFile | undefined {
    const file = this.#files.get(handle);
    if (file === undefined) return undefined;
    this.#files.delete(handle);
    const others = (this.#holders.get(file.nodeId) ?? 1) - 1;
    if (others > 0) this.#holders.set(file.nodeId, others);
    else this.#holders.delete(file.nodeId);
    return others > 0 ? undefined : file;
  }
}
