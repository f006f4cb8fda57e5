import pLimit from 'p-limit';
import {
  type AllowedSigner,
  decodeEnvelope,
  ReleaseError,
  type Signer,
  verifyEnvelope,
} from '../release/index.ts';
import type { TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { readContent, readManifest } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';

export interface Verified {
  readonly files: number;
  readonly bytes: number;
  /** The allowed signers that signed the step; undefined if no file of allowed signers was given. */
  readonly signedBy: readonly Signer[] | undefined;
  /** What is wrong, as sentences; empty if everything is as it was deployed. */
  readonly flaws: readonly string[];
  /** What to do about the flaws; each sentence occurs once. */
  readonly hints: readonly string[];
}

/** Reads a whole release and checks it against its digests, its id and its signature. */
export async function verifyRelease(
  { payload, bytes }: TakenStep,
  {
    store,
    concurrency,
    signers,
    signal,
  }: {
    readonly store: ReleaseStore;
    readonly concurrency: number;
    readonly signers: readonly AllowedSigner[] | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Verified> {
  const found: Flaw[] = [];
  const noted = async <T>(work: () => T | Promise<T>, flaws: Flaw[] = found): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ReleaseError) && !(error instanceof DeployError)) throw error;
      flaws.push(error);
      return undefined;
    }
  };
  const signedBy =
    signers === undefined
      ? undefined
      : ((await noted(() => verifyEnvelope(decodeEnvelope(bytes), signers).signedBy)) ?? []);
  const files = (await noted(() => readManifest(store, payload, signal)))?.files ?? [];
  const limit = pLimit(concurrency);
  // The flaws are in the order of the files, whichever file is read first.
  const perFile = await Promise.all(
    files.map(async (file) => {
      const flaws: Flaw[] = [];
      await limit(() => noted(() => readContent(store, file, signal), flaws));
      return flaws;
    }),
  );
  const all = [...found, ...perFile.flat()];
  return {
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    signedBy,
    flaws: all.map(({ message }) => message),
    hints: [...new Set(all.map(({ hint }) => hint))],
  };
}

type Flaw = Pick<ReleaseError, 'message' | 'hint'>;
