import pLimit from 'p-limit';
import {
  type AllowedSigner,
  decodeEnvelope,
  ReleaseError,
  type Signer,
  sequenceOfLogKey,
  verifyEnvelope,
} from '../release/index.ts';
import { listLog, readStanding, readStepAt, type Standing, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import type { ReleaseStore } from './release-store.ts';

/** One step of an environment, and the findings of its audit. */
export interface AuditedStep {
  readonly sequence: number;
  /** Undefined if the step cannot be read; `flaws` says why. */
  readonly step: TakenStep | undefined;
  /**
   * The allowed signers that signed the step; empty if none did. Undefined if no file of allowed signers was
   * given, or if the step cannot be read.
   */
  readonly signedBy: readonly Signer[] | undefined;
  /** What is wrong with the step, as sentences; empty if nothing is. */
  readonly flaws: readonly string[];
}

export interface HistoryOptions {
  readonly store: ReleaseStore;
  readonly environment: string;
  /** How many of the newest steps to read. */
  readonly most: number;
  readonly signers: readonly AllowedSigner[] | undefined;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/**
 * Returns the newest steps of an environment, the newest first. Checks of each step its number, the hash of
 * its predecessor, its time (which is not before that of the predecessor), and its signature. Reports missing
 * steps, too.
 */
export async function readHistory(options: HistoryOptions): Promise<readonly AuditedStep[]> {
  const { store, environment, most, concurrency, signal } = options;
  // The log is listed before the ref is read. A writer moves the ref before it writes the log entry, so the
  // log is never ahead of a ref that is correct.
  const keys = await listLog(store, environment, signal);
  const ref = await readRef(options);
  const entries = new Map<number, Entry>();
  const limit = pLimit(concurrency);
  await Promise.all(
    // Reads one entry more than is returned, because the oldest returned step is checked against that entry.
    keys.slice(-most - 1).map((key) =>
      limit(async () => {
        const entry = await readEntry(store, key, signal);
        if (entry !== undefined) entries.set(sequenceOfLogKey(key)!, entry);
      }),
    ),
  );
  if (ref.kind === 'unusable' && entries.size === 0) throw ref.error;
  const newest = ref.kind === 'usable' ? ref.standing.step : undefined;
  if (newest !== undefined) {
    const { sequence } = newest.payload;
    const logged = entries.get(sequence);
    const differs = logged?.step !== undefined && logged.step.digest !== newest.digest;
    const flaws = differs ? [...logged.flaws, 'the log has another step under this number than the ref'] : [];
    entries.set(sequence, { step: newest, flaws });
  }
  const numbers = [...entries.keys()].sort((one, other) => other - one);
  const [last] = numbers;
  const flaw = last === undefined ? undefined : flawOfRef(ref, last);
  if (last !== undefined && flaw !== undefined) {
    const { step, flaws } = entries.get(last)!;
    entries.set(last, { step, flaws: [flaw, ...flaws] });
  }
  return numbers.slice(0, most).map((sequence, at) => audit(sequence, entries, numbers[at + 1], options));
}

type Ref =
  | { readonly kind: 'usable'; readonly standing: Standing }
  | { readonly kind: 'unusable'; readonly error: ReleaseError | DeployError };

/**
 * Reads the ref. Resolves also if the ref is damaged or was replaced: an audit is needed most then, and the
 * log is still shown.
 */
async function readRef({ store, environment, signal }: HistoryOptions): Promise<Ref> {
  try {
    return { kind: 'usable', standing: await readStanding(store, environment, signal) };
  } catch (error) {
    if (error instanceof ReleaseError || error instanceof DeployError) return { kind: 'unusable', error };
    throw error;
  }
}

/**
 * Returns what is wrong with the ref; undefined if nothing is.
 *
 * @param last the number of the newest step of ref and log
 */
function flawOfRef(ref: Ref, last: number): string | undefined {
  if (ref.kind === 'unusable') return `the ref cannot be used: ${ref.error.message}`;
  const { step, etag } = ref.standing;
  if (etag === undefined) return 'the ref is missing: the log alone has this step';
  const sequence = step?.payload.sequence ?? 0;
  return sequence < last ? `the ref is at step ${sequence}: an earlier one was put back` : undefined;
}

interface Entry {
  readonly step: TakenStep | undefined;
  readonly flaws: readonly string[];
}

async function readEntry(store: ReleaseStore, key: string, signal: AbortSignal): Promise<Entry | undefined> {
  try {
    const entry = await readStepAt(store, key, signal);
    return entry && { step: entry.step, flaws: [] };
  } catch (error) {
    if (error instanceof ReleaseError) return { step: undefined, flaws: [error.message] };
    throw error;
  }
}

function audit(
  sequence: number,
  entries: ReadonlyMap<number, Entry>,
  earlier: number | undefined,
  { environment, signers }: HistoryOptions,
): AuditedStep {
  const { step, flaws } = entries.get(sequence)!;
  const found = [...flaws];
  if (step === undefined) return { sequence, step, signedBy: undefined, flaws: found };
  const { payload } = step;
  if (payload.sequence !== sequence) found.push(`it says that it is step ${payload.sequence}`);
  if (payload.environment !== environment) found.push(`it says that it is one of ${payload.environment}`);
  const before = earlier === undefined ? undefined : entries.get(earlier)?.step;
  if (earlier !== undefined && earlier !== sequence - 1) {
    found.push(
      earlier + 1 === sequence - 1
        ? `step ${earlier + 1} is missing`
        : `steps ${earlier + 1} to ${sequence - 1} are missing`,
    );
  } else if (before !== undefined) {
    if (payload.previous?.sha256 !== before.digest)
      found.push('the step before it is another one than it names');
    if (payload.created < before.payload.created)
      found.push('it says that it is older than the step before it');
  }
  const signed = signersOf(step, signers);
  return { sequence, step, signedBy: signed.signedBy, flaws: [...found, ...signed.flaws] };
}

function signersOf(
  { bytes }: TakenStep,
  signers: readonly AllowedSigner[] | undefined,
): { readonly signedBy: readonly Signer[] | undefined; readonly flaws: readonly string[] } {
  if (signers === undefined) return { signedBy: undefined, flaws: [] };
  try {
    return { signedBy: verifyEnvelope(decodeEnvelope(bytes), signers).signedBy, flaws: [] };
  } catch (error) {
    if (error instanceof ReleaseError) return { signedBy: [], flaws: [error.message] };
    throw error;
  }
}
