import {
  decodeEnvelope,
  decodePayload,
  digestOfPayload,
  MOST_ENVELOPE_BYTES,
  ReleaseError,
  type ReleasePayload,
  releaseKeys,
  sequenceOfLogKey,
} from '../release/index.ts';
import { DeployError } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

/** A step that was taken: one change of the release that an environment shows. */
export interface TakenStep {
  readonly payload: ReleasePayload;
  /** The bytes of the envelope. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the payload. */
  readonly digest: string;
}

/** The current state of an environment. */
export interface Standing {
  /** The newest step; undefined if there never was one. */
  readonly step: TakenStep | undefined;
  /**
   * The ETag of the ref, which a writer needs to replace it; undefined if there is no ref, although there may
   * be a log.
   */
  readonly etag: string | undefined;
}

export function readStep(bytes: Uint8Array): TakenStep {
  const { payload } = decodeEnvelope(bytes);
  return { payload: decodePayload(payload), bytes, digest: digestOfPayload(payload) };
}

/**
 * Reads the step at a key. Returns the step and the ETag of its object; undefined if there is no object.
 *
 * @throws {ReleaseError} if the object is not a valid step; the error names the object. {StoreError}
 */
export async function readStepAt(
  store: ReleaseStore,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly step: TakenStep; readonly etag: string } | undefined> {
  const object = await store.read(key, MOST_ENVELOPE_BYTES, signal);
  if (object === undefined) return undefined;
  try {
    return { step: readStep(object.bytes), etag: object.etag };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    throw new ReleaseError(error.code, `${key}: ${error.message}`, error.hint, error);
  }
}

/**
 * Returns the keys of an environment's log, in the order of their steps. Omits keys that no step can have,
 * such as those of stray files.
 */
export async function listLog(
  store: ReleaseStore,
  environment: string,
  signal: AbortSignal,
  after?: string,
): Promise<readonly string[]> {
  const keys = await store.list(releaseKeys.log(environment), signal, after);
  return keys.filter((key) => sequenceOfLogKey(key) !== undefined);
}

/**
 * Reads the current state of an environment from its ref, or from its log if the ref is missing.
 *
 * @throws {ReleaseError} if ref or log entry is invalid; {DeployError} `log-differs` if the ref is that of
 *   another environment; {StoreError}
 */
export async function readStanding(
  store: ReleaseStore,
  environment: string,
  signal: AbortSignal,
): Promise<Standing> {
  const ref = await readStepAt(store, releaseKeys.ref(environment), signal);
  if (ref !== undefined) {
    requireEnvironmentOf(ref.step.payload, environment);
    return ref;
  }
  const newest = (await listLog(store, environment, signal)).at(-1);
  const entry = newest === undefined ? undefined : await readStepAt(store, newest, signal);
  return { step: entry?.step, etag: undefined };
}

/** Reads a step from the log; undefined if the log has no step with this number. */
export async function readLogEntry(
  store: ReleaseStore,
  environment: string,
  sequence: number,
  signal: AbortSignal,
): Promise<TakenStep | undefined> {
  return (await readStepAt(store, releaseKeys.logEntry(environment, sequence), signal))?.step;
}

/** Returns the error for another step that was taken meanwhile, which this deployer has not seen. */
export function overtakenBy({ step }: Standing, paths: string, hint: string): DeployError {
  const { author, message, sequence } = step?.payload ?? {
    author: 'an unknown author',
    message: '',
    sequence: 0,
  };
  const [subject = ''] = message.split('\n');
  const about = subject === '' ? '' : ` (${subject})`;
  return new DeployError(
    'overtaken',
    `meanwhile, step ${sequence} was taken by ${author}${about}${paths}`,
    hint,
  );
}

function requireEnvironmentOf(payload: ReleasePayload, environment: string): void {
  if (payload.environment === environment) return;
  throw new DeployError(
    'log-differs',
    `the ref of ${environment} is a copy of the ref of ${payload.environment}`,
    'Check which accounts can write to refs/, and put the right ref back from log/.',
  );
}
