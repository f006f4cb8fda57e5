import type { Interleaving } from './faulty-release-store.ts';

const MINUTE = 60_000;

/**
 * Hours pass for all actors at once, but not while a ref is being written: a request takes less than that. The
 * collector acts after each operation of a deployer, and while all deployers are stalled.
 */
export class SharedTime implements Interleaving {
  #now = 1_000_000 * MINUTE;
  #underway = 0;
  #collected = 0;
  #collectorIsDone = false;
  #deployed = 0;
  #seen = 0;
  #deployers: number;
  #stalled = 0;
  #waiting: (() => void)[] = [];

  constructor(deployers: number) {
    this.#deployers = deployers;
  }

  now = (): number => this.#now;

  whileRefMoves = async <T>(work: () => Promise<T>): Promise<T> => {
    this.#underway++;
    try {
      return await work();
    } finally {
      this.#underway--;
      this.#changed();
    }
  };

  untilCollected = async (operations: number): Promise<void> => {
    const until = this.#collected + operations;
    this.#stalled++;
    this.#changed();
    await this.#until(() => this.#collected >= until || this.#collectorIsDone);
    this.#stalled--;
  };

  untilDeployed = async (operations: number): Promise<void> => {
    const until = this.#deployed + operations;
    await this.#until(() => this.#deployed >= until || this.#stalled >= this.#deployers);
  };

  async pass(minutes: number): Promise<void> {
    await this.#until(() => this.#underway === 0);
    this.#now += minutes * MINUTE;
  }

  async collectorsTurn(): Promise<void> {
    await this.#until(() => this.#deployed > this.#seen || this.#stalled >= this.#deployers);
    this.#seen = this.#deployed;
  }

  collected(): void {
    this.#collected++;
    this.#changed();
  }

  deployed(): void {
    this.#deployed++;
    this.#changed();
  }

  end(actor: 'collector' | 'deployer'): void {
    if (actor === 'collector') this.#collectorIsDone = true;
    else this.#deployers--;
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
