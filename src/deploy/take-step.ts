import { randomBytes } from 'node:crypto';
import {
  decodePayload,
  digestOfPayload,
  type EnvelopeSignature,
  encodeEnvelope,
  encodePayload,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
} from '../release/index.ts';
import { type Condemned, LONGEST_WRITER_MS, readCondemned } from './condemned.ts';
import { readLogEntry, readStanding, type Standing, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { type ReleaseStore, type WriteEnd, writeOver } from './release-store.ts';

/** What a step is to say; the rest follows from where the environment stands. */
export type StepProposal = Omit<
  ReleasePayload,
  'root' | 'environment' | 'sequence' | 'previous' | 'nonce' | 'created'
>;

/** Where a step is taken, and how. */
export interface StepSetting {
  readonly store: ReleaseStore;
  /** The name of the release root. */
  readonly root: string;
  readonly environment: string;
  /** Whether it may take the place of a step that waits for its time: a roll-back may. */
  readonly mayReplaceArmed: boolean;
  /** Signs the bytes of a payload. */
  readonly sign: (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Waits between two tries. */
  readonly pause: (tries: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface StepOptions extends StepSetting {
  /**
   * What is to be said on top of this standing; packs and manifest are in the store when it resolves. Called once more
   * where another step was taken meanwhile; rejects, with `overtaken` as a rule, where it cannot be on top of that one.
   */
  readonly propose: (standing: Standing, condemned: Condemned) => Promise<StepProposal>;
}

/** Steps of others that may come between before this one gives up. */
const MOST_TRIES = 5;

/**
 * Takes one step of an environment: moves its ref by compare-and-swap, and writes it down in the log.
 *
 * The order matters. The log's entry of the step before is completed first, so that the log lacks at most its newest
 * entry, whoever ended in the middle. Then the ref, which is the truth, then this step's entry. The ref is never moved
 * where the log already has the next number: that is a ref which somebody put back.
 *
 * @throws {DeployError} `armed`, `overtaken`, `write-refused`, `put-back`, `log-differs`, `invalid-step`; {ReleaseError};
 * {StoreError}
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
    if (!options.mayReplaceArmed) refuseArmed(standing, options.now());
    const proposal = await options.propose(standing, keys);
    // crash point: packs and manifest are there, and nobody shows them.
    await completeLog(store, environment, standing, signal);
    if (options.now() - began > LONGEST_WRITER_MS) throw tooSlow(environment);
    const step = await signed(options, standing, proposal);
    if (await moveRef(options, standing, step)) {
      // crash point: in force. Whoever takes the next step writes this one down.
      await writeDown(store, step, signal);
      return step;
    }
    if (tries === MOST_TRIES) throw givenUp(environment, tries, first, standing);
    await pause(tries, signal);
  }
}

function refuseArmed({ step }: Standing, now: number): void {
  const notBefore = step?.payload.notBefore;
  if (step === undefined || notBefore === undefined || notBefore <= now) return;
  const { author, sequence, environment } = step.payload;
  throw new DeployError(
    'armed',
    `step ${sequence} of ${environment}, by ${author}, waits to be shown at ${new Date(notBefore).toISOString()}`,
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
    // A clock that is behind another writer's: readers refuse steps that go back in time.
    created: Math.max(now(), before?.payload.created ?? 0),
  };
  const bytes = encodePayload(payload);
  requireReadable(bytes);
  const envelope = { payload: bytes, signatures: await options.sign(bytes) };
  return { payload, bytes: encodeEnvelope(envelope), digest: digestOfPayload(bytes) };
}

/**
 * A payload that readers refuse would also stop every later writer, which reads the step before its own: so what cannot be
 * read is never written.
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

/** Whether the ref is this step's now, or was before later ones. A lost answer is found out, not guessed. */
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
  // Also after a refusal: the client may have sent it twice, and the second was refused for the sake of the first.
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
 * Beside the manifest, where a version is looked up by its id, then into the log: a step that is in the log needs no more
 * than one look by whoever takes the next one.
 */
async function writeDown(
  store: ReleaseStore,
  { payload, bytes, digest }: TakenStep,
  signal: AbortSignal,
): Promise<void> {
  const { environment, sequence, release } = payload;
  await store.create(releaseKeys.witness(release, environment), bytes, signal);
  const { kind } = await store.create(releaseKeys.logEntry(environment, sequence), bytes, signal);
  if (kind === 'written') return;
  const there = await readLogEntry(store, environment, sequence, signal);
  if (there?.digest !== digest) throw logDiffers(environment, sequence);
}

/**
 * Writes down the step before, where its writer ended in the middle. Where the log goes beyond it, the ref is not the newest
 * one: somebody put it back.
 */
async function completeLog(
  store: ReleaseStore,
  environment: string,
  { step }: Standing,
  signal: AbortSignal,
): Promise<void> {
  const sequence = step?.payload.sequence ?? 0;
  const before = sequence < 2 ? undefined : releaseKeys.logEntry(environment, sequence - 1);
  const keys = await store.list(releaseKeys.log(environment), signal, before);
  const newest = releaseKeys.logEntry(environment, sequence);
  if (step !== undefined && !keys.includes(newest)) await writeDown(store, step, signal);
  if (keys.some((key) => key > newest)) await refusePutBack(store, environment, sequence + 1, signal);
}

async function refusePutBack(
  store: ReleaseStore,
  environment: string,
  sequence: number,
  signal: AbortSignal,
): Promise<void> {
  // Another writer may have taken that step since the ref was read.
  const { step } = await readStanding(store, environment, signal);
  if (step !== undefined && step.payload.sequence >= sequence) return;
  if (!(await follows(store, environment, sequence, step?.digest, signal))) {
    const key = releaseKeys.logEntry(environment, sequence);
    throw new DeployError(
      'log-differs',
      `${key} is there, and is not a step that follows the ref of ${environment}`,
      `Verify it by its signature before anything else: if nobody who may deploy made it, remove it, and find out who can write to ${releaseKeys.log(environment)}.`,
    );
  }
  throw new DeployError(
    'put-back',
    `the ref of ${environment} is older than its log, which has step ${sequence}: somebody put an earlier one back`,
    `Verify the newest object of ${releaseKeys.log(environment)} by its signature first; then copy it to ${releaseKeys.ref(environment)}, and find out who did it.`,
  );
}

/** Whether the log's entry can be read, and is a step of this environment on top of the one with this digest. */
async function follows(
  store: ReleaseStore,
  environment: string,
  sequence: number,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const entry = await readLogEntry(store, environment, sequence, signal);
    // Where an entry between is missing, what the later ones follow cannot be told.
    if (entry === undefined) return true;
    const { payload } = entry;
    return (
      payload.environment === environment &&
      payload.sequence === sequence &&
      payload.previous?.sha256 === digest
    );
  } catch (error) {
    if (error instanceof ReleaseError) return false;
    throw error;
  }
}

function logDiffers(environment: string, sequence: number): DeployError {
  return new DeployError(
    'log-differs',
    `the log of ${environment} has another step ${sequence} than its ref`,
    'Look who can write below the release root; keep both objects, and remove the one that is not signed.',
  );
}

function tooSlow(environment: string): DeployError {
  return new DeployError(
    'overtaken',
    `deploying to ${environment} took more than an hour, after which something that it counts on may have been deleted`,
    'Deploy again: what was uploaded is there.',
  );
}

/** @param last what the ref was before the last try */
function givenUp(environment: string, tries: number, first: Standing, last: Standing): DeployError {
  if (first.step?.digest === last.step?.digest) {
    return new DeployError(
      'write-refused',
      `the store refused ${tries} times to move the ref of ${environment}, though nobody else moved it`,
      'Look what stands between this host and the store: it must pass on If-Match, If-None-Match and ETag as they are.',
    );
  }
  return new DeployError(
    'overtaken',
    `others deployed to ${environment} ${tries} times while this was tried`,
    'Try again when they are done.',
  );
}
