import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { MountRequest } from '../connection.ts';
import type { Driver, SessionHost } from '../driver.ts';
import type { FromSession, ToSession } from '../messages.ts';
import type { Mounter } from './mounting.ts';

/**
 * The driver that speaks the FUSE protocol with the kernel itself. It keeps all promises (docs/semantics.md).
 */
export class KernelDriver implements Driver {
  readonly name = 'kernel';
  readonly session: SessionHost;
  readonly #mounter: Mounter;

  /** `worker`: the file of the session worker, which the constructor starts. */
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

/** How long `terminate` waits for a worker with a stuck notification. */
const TERMINATE_MS = 500;

class WorkerHost implements SessionHost {
  readonly #worker: Worker;
  #isStuck = false;
  /**
   * Kills this process when the process exits. The listener is registered only while a notification is stuck.
   * A normal exit would wait for the worker, and the worker for its notify thread, which stays in the kernel.
   * A kill does not wait: the main thread is a zombie immediately, and the supervisor treats that as death.
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
    // If the worker does not end in time, this process kills itself at its exit (#killAtExit).
    await (this.#isStuck ? Promise.race([terminated, delay(TERMINATE_MS)]) : terminated);
  }
}
