import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { MountRequest } from '../connection.ts';
import type { Driver, SessionHost } from '../driver.ts';
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

/** For a worker that could end to do so. */
const TERMINATE_MS = 500;

class WorkerHost implements SessionHost {
  readonly #worker: Worker;
  #isStuck = false;
  /**
   * An exit of the process waits for its workers, and a worker for its notify thread, which the kernel keeps as long as
   * the notification is stuck. A kill does not wait: the leader is a zombie at once, which the supervisor knows for dead.
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
    // The exit that follows is a kill then.
    await (this.#isStuck ? Promise.race([terminated, delay(TERMINATE_MS)]) : terminated);
  }
}
