/** A step of an environment that this node has believed. */
export interface RememberedStep {
  readonly sequence: number;
  /** SHA-256 of its payload. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Whether an operator accepted it although the store has, or had, later steps. */
  readonly accepted: boolean;
}

/** The newest step that this node has believed, of one environment of one root. A ref must not be behind it. */
export interface StepMemory {
  readonly newest: RememberedStep | undefined;
  /** Whether the newest step would be lost when the process ends, although it should not be. */
  readonly isUnkept: boolean;
  /**
   * Remembers a later step. A step that is not later changes nothing, but if the newest one could not be stored, that
   * is retried. Never rejects: failures are reported.
   */
  raise(step: Omit<RememberedStep, 'accepted'>): Promise<void>;
  /** Replaces the remembered step by this one. Rejects if it cannot be stored. */
  accept(step: Omit<RememberedStep, 'accepted'>): Promise<void>;
}

/** Loses its step when the process ends. */
export class VolatileStepMemory implements StepMemory {
  readonly isUnkept = false;
  #newest: RememberedStep | undefined;

  constructor(newest?: RememberedStep) {
    this.#newest = newest;
  }

  get newest(): RememberedStep | undefined {
    return this.#newest;
  }

  async raise(step: Omit<RememberedStep, 'accepted'>): Promise<void> {
    if (this.#newest !== undefined && step.sequence <= this.#newest.sequence) return;
    this.#newest = { ...step, accepted: false };
  }

  async accept(step: Omit<RememberedStep, 'accepted'>): Promise<void> {
    this.#newest = { ...step, accepted: true };
  }
}
