import { readdirSync, readlinkSync } from 'node:fs';

/** How often to check whether the kernel has closed the connection: libfuse does not report it. */
const LOOK_MS = 100;
const DEVICE = '/dev/fuse';
const DESCRIPTORS = '/proc/self/fd';

/**
 * The connection that libfuse has opened in this process. libfuse closes the device when the last user of the
 * mount is gone. If descriptors cannot be inspected (macOS), the connection counts as open for ever, and
 * `closed` never resolves.
 */
export class FuseConnection {
  readonly #descriptor: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly closed: Promise<void>;

  constructor() {
    this.#descriptor = findDevice();
    this.closed = new Promise((resolve) => {
      if (this.#descriptor === undefined) return;
      this.#timer = setInterval(() => {
        if (this.isOpen) return;
        clearInterval(this.#timer);
        resolve();
      }, LOOK_MS);
      this.#timer.unref();
    });
  }

  get isOpen(): boolean {
    return this.#descriptor === undefined || isDevice(this.#descriptor);
  }

  get isWatched(): boolean {
    return this.#descriptor !== undefined;
  }
}

function findDevice(): string | undefined {
  try {
    return readdirSync(DESCRIPTORS)
      .map((name) => `${DESCRIPTORS}/${name}`)
      .find(isDevice);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function isDevice(descriptor: string): boolean {
  try {
    return readlinkSync(descriptor) === DEVICE;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
