/** A step of an environment that this node has verified. */
export interface RememberedStep {
  readonly sequence: number;
  /** SHA-256 of the step's payload. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Whether an operator accepted the step although the store has, or had, later steps. */
  readonly accepted: boolean;
}

/**
 * Remembers the newest step that this node has verified, of one environment of one root. A ref with an
 * earlier step is rejected.
 */
export interface StepMemory {
  readonly newest: RememberedStep | undefined;
  /** Whether the newest step would be lost when the process ends, although it should not be. */
  readonly isUnkept: boolean;
  /**
   * Remembers a step if it is later than the newest one. Otherwise changes nothing, but if the newest step
   * could not be stored, tries that again. Never rejects: it reports failures.
   */
  raise(step: Omit<RememberedStep, 'accepted'>): Promise<void>;
  /** Replaces the remembered step by this one. Rejects if this step cannot be stored. */
  accept(step: Omit<RememberedStep, 'accepted'>): Promise<void>;
}

/** A memory that loses its step when the process ends. */
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
