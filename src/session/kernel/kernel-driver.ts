import { Worker } from 'node:worker_threads';
import type { Driver, MountRequest, SessionHost } from '../driver.ts';
import type { FromSession, ToSession } from '../messages.ts';
import type { Mounter } from './mounting.ts';

/** Speaks to the kernel without anything between: the driver that keeps all promises. */
export class KernelDriver implements Driver {
  readonly name = 'kernel';
  readonly session: SessionHost;
  readonly #mounter: Mounter;

  /** `worker`: the file of the session worker, which is started here. */
  constructor(mounter: Mounter, worker: URL) {
    this.#mounter = mounter;
    this.session = new WorkerHost(worker);
  }

  get method(): string {
    return this.#mounter.method;
  }

  connect(request: MountRequest) {
    return { kind: 'device', fd: this.#mounter.mount(request) } as const;
  }

  unmount(target: string, lazy: boolean): void {
    this.#mounter.unmount(target, lazy);
  }
}

class WorkerHost implements SessionHost {
  readonly #worker: Worker;

  constructor(file: URL) {
    this.#worker = new Worker(file);
  }

  send(message: ToSession): void {
    this.#worker.postMessage(message);
  }

  onMessage(listener: (message: FromSession) => void): void {
    this.#worker.on('message', listener);
  }

  onExit(listener: (reason: string | undefined) => void): void {
    let failure: string | undefined;
    this.#worker.on('error', (error) => {
      failure = error.message;
    });
    this.#worker.on('exit', (code) =>
      listener(failure ?? (code === 0 ? undefined : `the session worker exited with ${code}`)),
    );
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
