import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { MountRequest } from '../connection.ts';
import type { Driver, SessionHost } from '../driver.ts';
import type { FromSession, ToSession } from '../messages.ts';
import type { Mounter } from './mounting.ts';

/** Uses the kernel's protocol directly: the driver that keeps all promises. */
export class KernelDriver implements Driver {
  readonly name = 'kernel';
  readonly session: SessionHost;
  readonly #mounter: Mounter;

  /** `worker`: the file of the session worker, which this starts. */
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

/** How long a worker that can end may take to do so. */
const TERMINATE_MS = 500;

class WorkerHost implements SessionHost {
  readonly #worker: Worker;
  #isStuck = false;
  /**
   * At exit a process waits for its workers, and a worker for its notify thread, which stays in the kernel while a
   * notification is stuck. A kill does not wait: the main thread is a zombie immediately, which the supervisor treats
   * as death.
   */
  readonly #killAtExit = (): void => {
    process.kill(process.pid, 'SIGKILL');
  };

  constructor(file: URL) {
    this.#worker = new Worker(file);
    this.#worker.on('message', (message: FromSession) => {
      if (message.kind !== 'stuck') return;
      this.#isStuck = message.stuck !== undefined;
      process.removeListener('exit', this.#killAtExit);
      if (this.#isStuck) process.once('exit', this.#killAtExit);
    });
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
    const terminated = this.#worker.terminate();
    // If it does not terminate in time, the following exit is a kill.
    await (this.#isStuck ? Promise.race([terminated, delay(TERMINATE_MS)]) : terminated);
  }
}
