export interface PendingView {
  readonly pendingFiles: number;
  readonly pendingBytes: number;
}

/** Remaining work of a planned fetch. */
export class Progress {
  #files = 0;
  #bytes = 0;

  get view(): PendingView {
    return { pendingFiles: this.#files, pendingBytes: this.#bytes };
  }

  plan(files: number, bytes: number): void {
    this.#files = files;
    this.#bytes = bytes;
  }

  done(bytes: number): void {
    this.#files -= 1;
    this.#bytes -= bytes;
  }

  clear(): void {
    this.plan(0, 0);
  }
}
