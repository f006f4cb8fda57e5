import type { Connection, MountRequest } from '../connection.ts';
import type { Driver } from '../driver.ts';
import { MountError } from '../mount-error.ts';
import { ProcessHost } from './process-host.ts';
import { unmountNow } from './unmounting.ts';

/**
 * The driver that lets libfuse 2 mount and answer the kernel, in a separate process. docs/semantics.md lists
 * the promises that it keeps only in part.
 */
export class FuseNativeDriver implements Driver {
  readonly name = 'fuse-native';
  readonly method = 'libfuse 2';
  readonly session: ProcessHost;

  /** Starts the process. `file`: the entry file of the process. Rejects with MountError `no-fuse-native`. */
  static async start(file: URL): Promise<FuseNativeDriver> {
    return new FuseNativeDriver(await ProcessHost.start(file));
  }

  private constructor(session: ProcessHost) {
    this.session = session;
  }

  /**
   * Prepares a mount, which the session makes. Removes a dead mount from the target first, because libfuse
   * checks the mount point before it mounts, and would fail on a dead mount.
   */
  connect(request: MountRequest): Connection {
    if (request.replacesStale) takeAway(request.target);
    return { kind: 'own', request };
  }

  unmount(target: string, lazy: boolean): void {
    unmountNow(target, lazy);
  }
}

function takeAway(target: string): void {
  try {
    unmountNow(target, true);
  } catch (error) {
    // The process of the dead mount may have unmounted it meanwhile. If the mount still exists, the next
    // mount fails and reports it.
    if (!(error instanceof MountError)) throw error;
  }
}
