import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';

/** A clock that runs `speed` times as fast as the host's. */
export class FastClock implements Clock {
  readonly #speed: number;
  readonly #began = Date.now();

  constructor(speed: number) {
    this.#speed = speed;
  }

  now(): number {
    return this.#began + (Date.now() - this.#began) * this.#speed;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await delay(ms / this.#speed, undefined, { signal });
  }

  alarm(ms: number, ring: () => void): () => void {
    const timer = setTimeout(ring, ms / this.#speed);
    return () => clearTimeout(timer);
  }

  random(): number {
    return 0.5;
  }
}
