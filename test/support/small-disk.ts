import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';

/** A separate small file system; mounting it needs root. */
export class SmallDisk {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** `at`: the mount point; by default, a new directory. */
  static async mount(test: Cleanup, bytes: number, at?: string): Promise<SmallDisk> {
    const directory = at ?? join(await temporaryDirectory(test), 'disk');
    await mkdir(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=755`, 'dagmount-test', directory]);
    defer(test, () => void execFileSync('umount', ['-l', directory]));
    return new SmallDisk(directory);
  }

  fill(): void {
    const { bavail, bsize } = statfsSync(this.directory);
    writeFileSync(this.#filler, Buffer.alloc(bavail * bsize));
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.directory, 'filler');
  }
}
