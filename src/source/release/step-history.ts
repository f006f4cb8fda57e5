import {
  decodeEnvelope,
  decodePayload,
  digestOfPayload,
  MOST_ENVELOPE_BYTES,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
  wasWithdrawn,
} from '../../release/index.ts';
import { judgeStep, type Step, type StepRules } from './judge-step.ts';
import { RefHeld, type RefHoldReason } from './ref-hold.ts';
import type { ReleaseReader } from './release-reader.ts';
import type { RememberedStep, StepMemory } from './step-memory.ts';

export interface StepHistoryOptions extends StepRules {
  /** Steps with a lower number are held; 0: no step is held for its number. */
  readonly minSequence: number;
  readonly memory: StepMemory;
}

/** The maximum number of armed steps in a row that may have replaced each other since a step was in force. */
const MOST_REPLACED = 32;

const RESTORED =
  'If an operator restored the store, dagmount accept follows it; else put the newest object of log/ back as the ref, and check which accounts can write to refs/.';

/**
 * Compares a step of an environment with earlier and later steps: those that this node remembers, and those
 * in the log. A genuine step must not be followed any more when another step has replaced it.
 */
export class StepHistory {
  readonly #reader: ReleaseReader;
  readonly #options: StepHistoryOptions;

  constructor(reader: ReleaseReader, options: StepHistoryOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /**
   * Checks that a step is not below --min-seq, and not behind the step that this node remembers. Reads
   * nothing from the store.
   *
   * @param key the key of the object in which the step was found
   * @throws {RefHeld} if the step is rejected
   */
  checkMemory(step: Step, key: string): void {
    const { newest } = this.#options.memory;
    this.#requireLeast(step, key);
    if (newest !== undefined) requireNotBehind(step, newest, key);
  }

  /**
   * Compares a step that passed `checkMemory` with the log.
   *
   * @returns an error if the log has a later step, else undefined; the error applies only if the ref has not
   * moved since it was read
   * @throws {RefHeld} if the log contradicts the step or this node's memory; {StoreError} if the store fails
   */
  async check(step: Step, key: string, signal: AbortSignal): Promise<RefHeld | undefined> {
    const { newest } = this.#options.memory;
    if (newest?.digest === step.digest && newest.accepted) return undefined;
    const [later] = await Promise.all([
      this.#laterStep(step, key, signal),
      this.#checkPrevious(step, newest, key, signal),
      this.#checkRemembered(step, newest, key, signal),
    ]);
    return later;
  }

  /**
   * Returns the step that was in force when an armed step was made; undefined if there was none.
   *
   * @param now the store's time, in milliseconds since the epoch
   * @throws {RefHeld} if a step in the log is missing or rejected; {StoreError} if the store fails
   */
  async inForceBefore(armed: Step, now: number, signal: AbortSignal): Promise<Step | undefined> {
    let later = armed;
    for (let steps = 0; steps < MOST_REPLACED; steps++) {
      const { previous } = later.payload;
      if (previous === undefined) return undefined;
      const key = this.#logKey(previous.sequence);
      const bytes = await this.#readLog(previous.sequence, signal);
      if (bytes === undefined) throw missingLog(later, key);
      const before = judgeStep(bytes, key, this.#options, now);
      if (before.digest !== previous.sha256) throw otherPrevious(later, key);
      if (!wasWithdrawn(before.payload, later.payload)) return before;
      later = before;
    }
    throw held(
      'broken-chain',
      armed,
      releaseKeys.ref(this.#options.environment),
      `over ${MOST_REPLACED} armed steps follow each other`,
      'Roll back, or deploy without --at.',
    );
  }

  #requireLeast(step: Step, key: string): void {
    const { minSequence } = this.#options;
    const { sequence } = step.payload;
    if (sequence >= minSequence) return;
    throw held(
      'below-min-seq',
      step,
      key,
      `${key} is step ${sequence}, and --min-seq is ${minSequence}`,
      'Put the newest object of log/ back as the ref, or lower --min-seq.',
    );
  }

  /**
   * Returns an error if the log has a later step: if an attacker restores an earlier ref, the log still has
   * the later steps.
   */
  async #laterStep(step: Step, key: string, signal: AbortSignal): Promise<RefHeld | undefined> {
    const { sequence } = step.payload;
    // The content of that object does not matter: the attacker may have overwritten it.
    const { look } = await this.#reader.read(this.#logKey(sequence + 1), {
      most: MOST_ENVELOPE_BYTES,
      signal,
    });
    if (look.kind === 'absent') return undefined;
    return held(
      'rolled-back',
      step,
      key,
      `${key} is step ${sequence}, and the log has a later one: ${this.#logKey(sequence + 1)}`,
      RESTORED,
    );
  }

  /**
   * Checks that the previous step is the one that this step names, and that this step was not made before
   * that one. Otherwise an antedated step could use an expired key.
   */
  async #checkPrevious(
    step: Step,
    newest: RememberedStep | undefined,
    key: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { previous, created, sequence } = step.payload;
    if (previous === undefined || newest?.digest === step.digest) return;
    if (newest?.sequence === previous.sequence) {
      if (newest.digest !== previous.sha256) throw otherPrevious(step, key);
      return;
    }
    // Without signatures, times prove nothing.
    if (this.#options.signers === undefined) return;
    const logKey = this.#logKey(previous.sequence);
    const bytes = await this.#readLog(previous.sequence, signal);
    if (bytes === undefined) throw missingLog(step, logKey);
    const before = readPayload(bytes);
    if (before === undefined || before.digest !== previous.sha256) throw otherPrevious(step, logKey);
    if (created < before.payload.created) throw datedBack(step, key, sequence - 1);
  }

  /**
   * Checks that the log does not contradict the remembered step, if there are steps between the remembered
   * step and `step`.
   */
  async #checkRemembered(
    step: Step,
    newest: RememberedStep | undefined,
    key: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (newest === undefined || newest.sequence >= step.payload.sequence - 1) return;
    const bytes = await this.#readLog(newest.sequence, signal);
    const logged = bytes === undefined ? undefined : readPayload(bytes);
    if (logged === undefined || logged.digest === newest.digest) return;
    throw held(
      'broken-chain',
      step,
      key,
      `this node has seen another step ${newest.sequence} than ${this.#logKey(newest.sequence)} has`,
      RESTORED,
    );
  }

  async #readLog(sequence: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { look } = await this.#reader.read(this.#logKey(sequence), { most: MOST_ENVELOPE_BYTES, signal });
    if (look.kind === 'read') return look.bytes;
    return look.kind === 'absent' ? undefined : new Uint8Array();
  }

  #logKey(sequence: number): string {
    return releaseKeys.logEntry(this.#options.environment, sequence);
  }
}

function requireNotBehind(step: Step, newest: RememberedStep, key: string): void {
  const { sequence, created } = step.payload;
  if (sequence < newest.sequence) {
    throw held(
      'rolled-back',
      step,
      key,
      `${key} is step ${sequence}, and this node has seen step ${newest.sequence}`,
      RESTORED,
    );
  }
  if (sequence === newest.sequence && step.digest !== newest.digest) {
    throw held(
      'rolled-back',
      step,
      key,
      `${key} is another step ${sequence} than the one that this node has seen`,
      RESTORED,
    );
  }
  if (created < newest.created) throw datedBack(step, key, newest.sequence);
}

function readPayload(
  bytes: Uint8Array,
): { readonly payload: ReleasePayload; readonly digest: string } | undefined {
  try {
    const { payload } = decodeEnvelope(bytes);
    return { payload: decodePayload(payload), digest: digestOfPayload(payload) };
  } catch (error) {
    if (error instanceof ReleaseError) return undefined;
    throw error;
  }
}

function missingLog(step: Step, logKey: string): RefHeld {
  return held(
    'missing-log',
    step,
    logKey,
    `${logKey}, which step ${step.payload.sequence} follows, is not in the store`,
    'A replica may still be behind: then this ends by itself. Else put that object of the log back, or deploy once more.',
  );
}

function otherPrevious(step: Step, key: string): RefHeld {
  const { sequence } = step.payload;
  return held(
    'broken-chain',
    step,
    key,
    `step ${sequence} follows another step ${sequence - 1} than the one that this node, or the log, has`,
    RESTORED,
  );
}

function datedBack(step: Step, key: string, before: number): RefHeld {
  return held(
    'created-back',
    step,
    key,
    `step ${step.payload.sequence} says that it was made before step ${before}, which it follows`,
    'Set the clock of the host that deployed it, and deploy once more.',
  );
}

function held(reason: RefHoldReason, step: Step, key: string, detail: string, hint: string): RefHeld {
  const { digest, payload } = step;
  return new RefHeld(reason, key, detail, hint, {
    sequence: payload.sequence,
    release: payload.release,
    digest,
  });
}
