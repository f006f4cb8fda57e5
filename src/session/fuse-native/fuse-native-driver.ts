import type { Connection, MountRequest } from '../connection.ts';
import type { Driver } from '../driver.ts';
import { MountError } from '../mount-error.ts';
import { mountOptions } from './mount-options.ts';
import { ProcessHost } from './process-host.ts';
import { unmountNow } from './unmounting.ts';

/** Has libfuse 2 mount, in a process of its own. docs/semantics.md lists what it keeps in part only. */
export class FuseNativeDriver implements Driver {
  readonly name = 'fuse-native';
  readonly method = 'libfuse 2';
  readonly session: ProcessHost;

  /** `file`: of the process. Rejects with MountError `no-fuse-native`. */
  static async start(file: URL): Promise<FuseNativeDriver> {
    return new FuseNativeDriver(await ProcessHost.start(file));
  }

  private constructor(session: ProcessHost) {
    this.session = session;
  }

  /** libfuse looks at the mount point before it mounts, and a dead mount there would not let it. */
  connect(request: MountRequest): Connection {
    mountOptions(request);
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
    // Its own process may have done so in this moment. Where it is there still, mounting fails, and says why.
    if (!(error instanceof MountError)) throw error;
  }
}
