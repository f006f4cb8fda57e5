import { printable } from '../../base/printable.ts';
import type { ReleaseStep, SourceHold } from '../source.ts';
import type { GoesBack } from './compare-listings.ts';

const HINT =
  'Wait for the first source, or for the copying to it; what is deployed to the standby from now on counts as soon as it has what is shown.';

const SAYS: Readonly<Record<GoesBack['how'], (key: string) => string>> = {
  older: (key) => `has an earlier version of ${key}`,
  missing: (key) => `has not got ${key} yet`,
  'deleted-before': (key) => `still has ${key}, which was deleted before`,
};

/** Why a listing is not shown: the newest of what would go back is named. */
export function behindHold({ path, how }: GoesBack, source: string): SourceHold {
  return hold(`${source} ${SAYS[how](printable(path, 300))}: the tree would go back in time.`);
}

/** A step with a lower number, or another one with the same. Undefined: it may follow. */
export function olderStepHold(
  step: ReleaseStep,
  shown: ReleaseStep | undefined,
  source: string,
): SourceHold | undefined {
  if (shown === undefined || step.sequence > shown.sequence) return undefined;
  if (step.sequence === shown.sequence && step.id === shown.id) return undefined;
  return hold(`${source} has step ${step.sequence}, and step ${shown.sequence} is shown.`);
}

function hold(detail: string): SourceHold {
  return { reason: 'standby-behind', detail, hint: HINT, step: undefined, acceptable: false };
}

/** Safe to show. */
export function wordsOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error), 300);
}
