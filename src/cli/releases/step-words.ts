import { type Flag, lastValue } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import type { StepWords } from '../../deploy/change-options.ts';
import { type Origin, originOf } from '../../deploy/origin.ts';
import { signPayload } from '../../deploy/sign-payload.ts';
import type { EnvelopeSignature } from '../../release/index.ts';
import type { Shell } from '../shell.ts';

/** What is written down with a step: by flags, else by git and the variables of a CI. */
export async function stepWords(
  flags: readonly Flag[],
  directory: string,
  fallback: Partial<Origin>,
  shell: Shell,
  signal: AbortSignal,
): Promise<StepWords> {
  const origin = await originOf(directory, shell.environment.env, signal);
  const author = lastValue(flags, 'author') ?? origin.author;
  if (author === undefined) {
    throw new ConfigError('usage', 'Who deploys is not known.', 'Pass --author, or set user.name in git.');
  }
  return {
    author,
    message: lastValue(flags, 'message') ?? fallback.message ?? origin.message ?? '',
    commit: lastValue(flags, 'commit') ?? fallback.commit ?? origin.commit,
    url: lastValue(flags, 'url') ?? origin.url,
    notBefore: notBefore(lastValue(flags, 'at'), shell.wallClock()),
  };
}

/** `--at`: an instant in RFC 3339, or `+` and a duration from now. */
function notBefore(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const after = text.startsWith('+') ? parseDuration(text.slice(1)) : undefined;
  const at = after === undefined ? Date.parse(text) : now + after;
  const isInstant =
    after !== undefined || /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (!isInstant || Number.isNaN(at)) {
    throw new ConfigError(
      'bad-value',
      `--at cannot be ${JSON.stringify(text)}.`,
      'Write an instant with its zone, as 2026-01-31T08:00:00Z, or +DURATION, as +30m.',
    );
  }
  return at;
}

/** Signs with --sign; without it a step has no signature. */
export function signer(
  flags: readonly Flag[],
  author: string,
  signal: AbortSignal,
): (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]> {
  const key = lastValue(flags, 'sign');
  if (key === undefined) return async () => [];
  // The address in `Name <address>` is what files of allowed signers name.
  const principal = lastValue(flags, 'principal') ?? /<([^<>\s]+)>\s*$/.exec(author)?.[1] ?? author;
  return async (payload) => [await signPayload(key, principal, payload, signal)];
}
