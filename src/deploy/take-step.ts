import { randomBytes } from 'node:crypto';
import { RETRIES } from '../base/retry/retry-policies.ts';
import {
  decodePayload,
  digestOfPayload,
  type EnvelopeSignature,
  encodeEnvelope,
  encodePayload,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
  sequenceOfLogKey,
} from '../release/index.ts';
import { type Condemned, LONGEST_WRITER_MS, readCondemned } from './condemned.ts';
import { listLog, readLogEntry, readStanding, type Standing, type TakenStep } from './current-step.ts';
import { DeployError, logDiffers } from './deploy-error.ts';
import { isArmed } from './in-force.ts';
import { type ReleaseStore, type WriteEnd, writeOver } from './release-store.ts';
import { type LostObjects, writeWitness } from './witness.ts';

/** The fields of a step that its writer decides; the others follow from the state of the environment. */
export type StepProposal = Omit<
  ReleasePayload,
  'root' | 'environment' | 'sequence' | 'previous' | 'nonce' | 'created'
>;

/** The options of a step. */
export interface StepSetting {
  readonly store: ReleaseStore;
  /** The name of the release root. */
  readonly root: string;
  readonly environment: string;
  /** Whether the new step may replace a step that waits for its time, as a roll-back may. */
  readonly mayReplaceArmed: boolean;
  /** Signs the bytes of a payload. */
  readonly sign: (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Waits between two attempts. */
  readonly pause: (tries: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /**
   * Called once the ref is moved: then the step is in force (it is the newest step), whatever fails later.
   */
  readonly onInForce?: ((step: TakenStep) => void) | undefined;
}

export interface StepOptions extends StepSetting {
  /**
   * Whether the step writes all content anew, because an operator knows that of the existing objects of the release
   * some are damaged.
   */
  readonly uploadedAll?: boolean | undefined;
  /**
   * Returns the content of the step for this state of the environment, once packs and manifest are in the
   * store. Called again if another step was taken meanwhile. Rejects, usually with `overtaken`, if this step
   * cannot follow that one.
   */
  readonly propose: (standing: Standing, condemned: Condemned) => Promise<StepProposal>;
}

/**
 * Takes one step of an environment: moves its ref by compare-and-swap, and adds the step to the log.
 *
 * The order matters. First, the log entry of the previous step is completed. So the log lacks at most its
 * newest entry, even if a writer was killed. Then the ref is moved: with that, the step is taken. Then the
 * log entry of this step is written. The ref is never moved if the log already has the next number, because
 * then an earlier ref was restored.
 *
 * @throws {DeployError} `armed`, `overtaken`, `write-refused`, `put-back`, `other-root`, `log-differs`,
 *   `invalid-step`, each as DeployErrorCode describes it; {ReleaseError} if an object of an earlier step is
 *   invalid; {StoreError}; and the errors of `propose` and `sign`
 */
export async function takeStep(options: StepOptions): Promise<TakenStep> {
  const { store, environment, pause, signal } = options;
  let first: Standing | undefined;
  for (let tries = 1; ; tries++) {
    const began = options.now();
    const [standing, { keys }] = await Promise.all([
      readStanding(store, environment, signal),
      readCondemned(store, signal),
    ]);
    first ??= standing;
    refuseOtherRoot(standing, options.root);
    if (!options.mayReplaceArmed) refuseArmed(standing, options.now());
    const wasArmed = isArmed(standing.step, began);
    const proposal = await options.propose(standing, keys).catch(async (error: unknown) => {
      // The missing release may be that of a later step, if an earlier ref was restored. completeLog() then
      // reports that.
      if (error instanceof DeployError && error.code === 'no-such-release')
        await completeLog(store, environment, standing, signal, keys);
      throw error;
    });
    // crash point: packs and manifest exist, and no node shows them.
    await completeLog(store, environment, standing, signal, keys);
    if (options.now() - began > LONGEST_WRITER_MS) throw tooSlow(environment);
    const step = await signed(options, standing, proposal);
    // The step that waited is shown since then, and the proposal was made for what was shown before it.
    if (wasArmed !== isArmed(standing.step, options.now()) && tries < RETRIES.step.tries) continue;
    if (await moveRef(options, standing, step)) {
      options.onInForce?.(step);
      // crash point: the step is in force, but not in the log. The writer of the next step adds it.
      await writeDown(store, step, signal, options.uploadedAll ? 'all' : keys);
      return step;
    }
    if (tries === RETRIES.step.tries) throw givenUp(environment, tries, first, standing);
    await pause(tries, signal);
  }
}

/**
 * Refuses a step whose root differs from that of the previous step. Nodes would not show such a step, so a
 * wrong --root would stop every later deploy.
 */
function refuseOtherRoot({ step }: Standing, root: string): void {
  if (step === undefined || step.payload.root === root) return;
  const { environment, sequence, root: before } = step.payload;
  throw new DeployError(
    'other-root',
    `step ${sequence} of ${environment} is one of the root ${before}, and this one would be of ${root}`,
    `Pass --root ${before} if this is a copy or another address of that root; else name another place by --to.`,
  );
}

function refuseArmed({ step }: Standing, now: number): void {
  if (step === undefined || !isArmed(step, now)) return;
  const { author, sequence, environment, notBefore } = step.payload;
  throw new DeployError(
    'armed',
    `step ${sequence} of ${environment}, by ${author}, waits to be shown at ${new Date(notBefore!).toISOString()}`,
    'Wait until then, take it back with dagmount rollback, or pass --replace.',
  );
}

function nextSequence({ step }: Standing): number {
  return (step?.payload.sequence ?? 0) + 1;
}

async function signed(options: StepOptions, standing: Standing, proposal: StepProposal): Promise<TakenStep> {
  const { root, environment, now } = options;
  const before = standing.step;
  const payload: ReleasePayload = {
    ...proposal,
    root,
    environment,
    sequence: nextSequence(standing),
    previous: before && {
      sequence: before.payload.sequence,
      release: before.payload.release,
      sha256: before.digest,
    },
    nonce: randomBytes(16).toString('hex'),
    // The clock of another writer may be ahead of this one, and readers reject a step that is older than its
    // predecessor.
    created: Math.max(now(), before?.payload.created ?? 0),
  };
  const bytes = encodePayload(payload);
  requireReadable(bytes);
  const envelope = { payload: bytes, signatures: await options.sign(bytes) };
  return { payload, bytes: encodeEnvelope(envelope), digest: digestOfPayload(bytes) };
}

/**
 * Refuses a payload that readers would reject, before it is written. Such a payload would also stop every
 * later writer, because a writer reads the previous step.
 */
function requireReadable(payload: Uint8Array): void {
  try {
    decodePayload(payload);
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    throw new DeployError(
      'invalid-step',
      `no node would accept this step: ${error.message}`,
      'Correct what --message, --author, --commit, --url and --at say.',
    );
  }
}

/**
 * Moves the ref to this step. Returns whether the ref points to this step, or did before later steps. If the
 * store refuses the write, or its answer is lost, reads the ref to find out.
 */
async function moveRef(options: StepOptions, standing: Standing, step: TakenStep): Promise<boolean> {
  const { store, environment, signal } = options;
  const key = releaseKeys.ref(environment);
  let failure: unknown;
  let end: WriteEnd | undefined;
  try {
    end = await writeOver(store, key, step.bytes, standing.etag, signal);
  } catch (error) {
    failure = error;
  }
  if (end?.kind === 'written') return true;
  signal.throwIfAborted();
  // The ref is read also after a refusal. If the client sent the request twice, the first may have moved the
  // ref, so that the store refused the second.
  const found = await readStanding(store, environment, signal);
  if (isSame(found.step, step)) return true;
  const written = await readLogEntry(store, environment, step.payload.sequence, signal);
  if (isSame(written, step)) return true;
  const unmoved = found.etag === standing.etag && found.step?.digest === standing.step?.digest;
  if (failure !== undefined && unmoved) throw failure;
  return false;
}

function isSame(found: TakenStep | undefined, step: TakenStep): boolean {
  return found !== undefined && found.payload.nonce === step.payload.nonce && found.digest === step.digest;
}

/**
 * Writes the envelope of a step beside the manifest, where a mount looks up a version by its id, and after
 * that into the log. So the writer of the next step sees by one request for the log that both exist.
 */
async function writeDown(
  store: ReleaseStore,
  step: TakenStep,
  signal: AbortSignal,
  lost: LostObjects,
): Promise<void> {
  const { payload, bytes, digest } = step;
  const { environment, sequence } = payload;
  await writeWitness(store, step, lost, signal);
  const { kind } = await store.create(releaseKeys.logEntry(environment, sequence), bytes, signal);
  if (kind === 'written') return;
  const there = await readLogEntry(store, environment, sequence, signal);
  if (there?.digest !== digest) throw logDiffers(environment, sequence);
}

/**
 * Adds the step of the ref to the log, if its writer was killed before it did that. Rejects if the log has
 * later steps: the ref is outdated then, because an earlier one was restored.
 */
async function completeLog(
  store: ReleaseStore,
  environment: string,
  { step }: Standing,
  signal: AbortSignal,
  condemned: Condemned,
): Promise<void> {
  const sequence = step?.payload.sequence ?? 0;
  const before = sequence < 2 ? undefined : releaseKeys.logEntry(environment, sequence - 1);
  const keys = await listLog(store, environment, signal, before);
  const newest = releaseKeys.logEntry(environment, sequence);
  if (step !== undefined && !keys.includes(newest)) await writeDown(store, step, signal, condemned);
  const later = keys.find((key) => key > newest);
  if (later !== undefined) await refusePutBack(store, environment, sequenceOfLogKey(later)!, signal);
}

async function refusePutBack(
  store: ReleaseStore,
  environment: string,
  sequence: number,
  signal: AbortSignal,
): Promise<void> {
  // Another writer may have taken that step since this writer read the ref.
  const { step } = await readStanding(store, environment, signal);
  if (step !== undefined && step.payload.sequence >= sequence) return;
  if (!(await follows(store, environment, sequence, step, signal))) {
    const key = releaseKeys.logEntry(environment, sequence);
    throw new DeployError(
      'log-differs',
      `${key} is there, and is not a step that follows the ref of ${environment}`,
      `Verify it by its signature before anything else: if no authorized deployer made it, remove it, and check which accounts can write to ${releaseKeys.log(environment)}.`,
    );
  }
  throw new DeployError(
    'put-back',
    `the ref of ${environment} is older than its log, which has step ${sequence}: an earlier ref was put back`,
    `Verify the newest object of ${releaseKeys.log(environment)} by its signature first; then copy it to ${releaseKeys.ref(environment)}, and find out which account did it.`,
  );
}

/**
 * Returns whether a log entry is readable, and is a step of this environment that may follow the ref's step.
 */
async function follows(
  store: ReleaseStore,
  environment: string,
  sequence: number,
  step: TakenStep | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const entry = await readLogEntry(store, environment, sequence, signal);
    // The entry was removed since the log was listed.
    if (entry === undefined) return true;
    const { payload } = entry;
    // If entries in between are missing, it is unknown which step this entry must follow.
    const isNext = sequence === (step?.payload.sequence ?? 0) + 1;
    return (
      payload.environment === environment &&
      payload.sequence === sequence &&
      (!isNext || payload.previous?.sha256 === step?.digest)
    );
  } catch (error) {
    if (error instanceof ReleaseError) return false;
    throw error;
  }
}

function tooSlow(environment: string): DeployError {
  return new DeployError(
    'overtaken',
    `deploying to ${environment} took more than an hour, after which something that it counts on may have been deleted`,
    'Deploy again: what was uploaded is there.',
  );
}

/** @param last the state of the environment before the last try */
function givenUp(environment: string, tries: number, first: Standing, last: Standing): DeployError {
  if (first.step?.digest === last.step?.digest) {
    return new DeployError(
      'write-refused',
      `the store refused ${tries} times to move the ref of ${environment}, though no other writer moved it`,
      'Look what stands between this host and the store: it must pass on If-Match, If-None-Match and ETag as they are.',
    );
  }
  return new DeployError(
    'overtaken',
    `others deployed to ${environment} ${tries} times while this was tried`,
    'Try again when they are done.',
  );
}
