import type { StepWords } from '../../src/deploy/change-options.ts';
import type { DeployOptions } from '../../src/deploy/deploy.ts';

export function wordsOf(author: string, message = 'm'): StepWords {
  return { author, message, commit: undefined, url: undefined, notBefore: undefined };
}

/** A deploy to production by one author, unsigned and unchecked, except for what is given. */
export function deployOptions(
  given: Pick<DeployOptions, 'store' | 'signal'> & Partial<DeployOptions>,
): DeployOptions {
  return {
    root: 'root',
    environment: 'production',
    words: wordsOf('a'),
    allowDeletions: false,
    mayReplaceArmed: false,
    sign: async () => [],
    check: async () => undefined,
    now: Date.now,
    pause: async () => undefined,
    ...given,
  };
}
