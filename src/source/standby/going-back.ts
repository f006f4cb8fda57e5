import { printable } from '../../base/printable.ts';
import type { Candidate, HeldListing, ReleaseStep, SourceHold } from '../source.ts';
import type { GoesBack } from './compare-listings.ts';

const HINT =
  'Wait until the first source answers, or until the standby has what is shown. If that is lost for good, dagmount accept shows what the standby has.';

const SAYS: Readonly<Record<GoesBack['how'], (key: string) => string>> = {
  older: (key) => `has an earlier version of ${key}`,
  missing: (key) => `does not have ${key} yet`,
  'deleted-before': (key) => `still has ${key}, which was deleted before`,
};

/**
 * Returns the hold of a listing that would make files go back in time. Its detail names the newest of these
 * files.
 */
export function behindHold({ path, how, files }: GoesBack, listing: HeldListing, source: string): SourceHold {
  const others = files === 1 ? '' : `, and ${files - 1} more`;
  const detail = `${source} ${SAYS[how](printable(path, 300))}${others}: the tree would go back in time.`;
  return { ...hold(detail), step: undefined, listing };
}

/**
 * Returns the hold of the first source after an outage, if no standby answers either. Its hint says what to
 * do if the standby is lost for good.
 */
export function firstHold(hold: SourceHold): SourceHold {
  const hint = `${adviceOf(hold)} If the standby is lost for good, dagmount accept shows what the first source has.`;
  return { ...hold, hint };
}

/**
 * Says why the first source is not followed after an outage, and what to do. Unlike a standby, the first
 * source cannot be accepted, because both stores can be written to by then. Once the two stores agree, each
 * node returns to the first source by itself.
 */
export function firstBehind(hold: SourceHold): string {
  return `${hold.detail} ${adviceOf(hold)}`;
}

function adviceOf({ step }: SourceHold): string {
  return step === undefined
    ? `Bring the first source to what is shown: copy to it what it lacks, and delete there what was deleted. Or, to have what the first source has, bring the standby to that, or write the file to the first source again: the same bytes with a later date are enough.`
    : `Copy that step to the first source, or deploy there until its step is a later one.`;
}

/**
 * Returns a hold if the candidate's step has a lower number than the shown step, or the same number but
 * another release. Returns undefined if the candidate may be followed.
 */
export function olderStepHold(
  { digest, release: step }: Candidate,
  shown: ReleaseStep | undefined,
  source: string,
): SourceHold | undefined {
  if (step === undefined || shown === undefined || step.sequence > shown.sequence) return undefined;
  if (step.sequence === shown.sequence && step.id === shown.id) return undefined;
  const { sequence, id: release } = step;
  const detail = `${source} has step ${sequence}, and step ${shown.sequence} is shown.`;
  return { ...hold(detail), step: { sequence, release, digest } };
}

function hold(detail: string): Omit<SourceHold, 'step' | 'listing'> {
  return { reason: 'standby-behind', detail, hint: HINT, acceptable: true };
}

/** The error's text, safe to show. */
export function wordsOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error), 300);
}
