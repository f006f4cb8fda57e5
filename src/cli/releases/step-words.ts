import { printable } from '../../base/printable.ts';
import { type Flag, lastValue } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseDuration } from '../../config/measures.ts';
import type { StepWords } from '../../deploy/change-options.ts';
import type { ReleaseRoot } from '../../deploy/open-root.ts';
import { type Origin, originOf } from '../../deploy/origin.ts';
import { signPayload } from '../../deploy/sign-payload.ts';
import {
  type Envelope,
  type EnvelopeSignature,
  LONGEST_ARMED_MS,
  ReleaseError,
  verifyEnvelope,
} from '../../release/index.ts';
import { formatAgo, formatDuration } from '../format.ts';
import type { Shell } from '../shell.ts';
import { readSigners } from './signers.ts';

/** The value of --at. */
export type StepTime =
  | { readonly kind: 'at-once' }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'at'; readonly instant: number }
  | { readonly kind: 'after'; readonly milliseconds: number };

/** The texts recorded with a step, without its start time, which is computed by the store's clock. */
export interface SpokenWords extends Omit<StepWords, 'notBefore'> {
  readonly time: StepTime;
  /** Whether the files may differ from those of the commit. */
  readonly uncommitted: boolean;
}

const LONGEST_MESSAGE_BYTES = 64 * 1024;
const LONGEST_WORD_BYTES = 2 * 1024;
/** A clock difference of this size or more is reported. */
const CLOCK_TOLD_MS = 60_000;

/**
 * Reads the texts of a step from flags, or else from git and the CI's variables. Throws ConfigError if the
 * author is unknown, or a text is invalid.
 */
export async function stepWords(
  flags: readonly Flag[],
  directory: string,
  fallback: Partial<Origin>,
  shell: Shell,
  signal: AbortSignal,
): Promise<SpokenWords> {
  const time = stepTime(lastValue(flags, 'at'));
  const origin = await originOf(directory, shell.environment.env, signal);
  const author = lastValue(flags, 'author') ?? origin.author;
  if (author === undefined || author.trim() === '') {
    throw new ConfigError(
      'usage',
      'The author of the deploy is not known: --author is missing.',
      'Pass --author, or set user.name in git.',
    );
  }
  const commit = lastValue(flags, 'commit') ?? fallback.commit ?? origin.commit;
  if (commit !== undefined && !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) {
    throw badValue('commit', commit, 'Write the whole hash of a commit, in lower case.');
  }
  const url = lastValue(flags, 'url') ?? origin.url;
  if (url !== undefined && !/^https?:\/\/[^\s]+$/.test(url)) {
    throw badValue('url', url, 'Write an address that begins with https:// or http://.');
  }
  const message = lastValue(flags, 'message') ?? fallback.message ?? origin.message ?? '';
  requireShort('author', author, LONGEST_WORD_BYTES);
  requireShort('url', url ?? '', LONGEST_WORD_BYTES);
  requireShort('message', message, LONGEST_MESSAGE_BYTES);
  const uncommitted = origin.uncommitted && commit === origin.commit;
  return { author, message, commit, url, time, uncommitted };
}

/**
 * Adds the start time of the step, by the store's clock. Throws ConfigError if that time is in the past or
 * too far in the future.
 */
export function wordsAt(
  { time, uncommitted: _, ...words }: SpokenWords,
  root: Pick<ReleaseRoot, 'now'>,
): StepWords {
  const now = root.now();
  const notBefore =
    time.kind === 'at-once' ? undefined : time.kind === 'at' ? time.instant : now + time.milliseconds;
  if (time.kind === 'at' && time.instant <= now) {
    throw new ConfigError(
      'usage',
      `--at cannot be ${new Date(time.instant).toISOString()}: that is ${formatAgo(time.instant, now)}, by the store's clock.`,
      'Name a later time, or leave --at out to have the step shown at once.',
    );
  }
  if (notBefore !== undefined && notBefore > now + LONGEST_ARMED_MS) {
    throw new ConfigError(
      'usage',
      `--at cannot be ${new Date(notBefore).toISOString()}: a step waits for 7 days at most.`,
      'Name an earlier time, or deploy when it is nearer.',
    );
  }
  return { ...words, notBefore };
}

/** Warns if this host's clock differs from the store's, whose time applies to deploys. */
export function tellClock(
  { clockOffset }: Pick<ReleaseRoot, 'clockOffset'>,
  { err }: Pick<Shell, 'err'>,
): void {
  const offset = clockOffset();
  if (Math.abs(offset) < CLOCK_TOLD_MS) return;
  const words = `${formatDuration(Math.abs(offset))} ${offset < 0 ? 'ahead of' : 'behind'}`;
  err.write(`dagmount: the clock of this host is ${words} the store's, by which this step is dated.\n`);
}

/**
 * Returns a function that prints a note for the deployer. A note is a sentence without its full stop, perhaps
 * with words of the store or of git.
 */
export function notesTo({ err }: Pick<Shell, 'err'>): (sentence: string) => void {
  return (sentence) => err.write(`dagmount: ${printable(sentence)}.\n`);
}

/** Parses an RFC 3339 time, or `+` and a duration. Throws ConfigError. */
function stepTime(text: string | undefined): StepTime {
  if (text === undefined) return { kind: 'at-once' };
  const after = text.startsWith('+') ? parseDuration(text.slice(1)) : undefined;
  if (after !== undefined) return { kind: 'after', milliseconds: after };
  const instant = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(instant)) {
    return { kind: 'at', instant };
  }
  throw badValue(
    'at',
    text,
    'Write an instant with its zone, as 2026-01-31T08:00:00Z, or +DURATION, as +30m.',
  );
}

/**
 * Returns a function that signs a step if --sign is given; otherwise the function returns no signature. The
 * function prints a note if no signer that the project allows has signed.
 */
export function signer(
  flags: readonly Flag[],
  author: string,
  {
    signersFile,
    note,
  }: { readonly signersFile: string | undefined; readonly note: (sentence: string) => void },
  signal: AbortSignal,
): (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]> {
  const sign = signerOf(flags, author, signal);
  if (signersFile === undefined) return sign;
  return async (payload) => {
    const signatures = await sign(payload);
    const flaw = flawOf({ payload, signatures }, signersFile);
    if (flaw !== undefined) note(`nodes that follow ${signersFile} will hold this step: ${flaw}`);
    return signatures;
  };
}

/** Returns why no allowed signer has signed a step; undefined if an allowed signer has. */
function flawOf(envelope: Envelope, signersFile: string): string | undefined {
  try {
    verifyEnvelope(envelope, readSigners(signersFile));
    return undefined;
  } catch (error) {
    if (error instanceof ReleaseError || error instanceof ConfigError)
      return error.message.replace(/\.$/, '');
    throw error;
  }
}

function signerOf(
  flags: readonly Flag[],
  author: string,
  signal: AbortSignal,
): (payload: Uint8Array) => Promise<readonly EnvelopeSignature[]> {
  const key = lastValue(flags, 'sign');
  if (key === undefined) return async () => [];
  // Of an author `Name <address>` takes the address, because files of allowed signers contain addresses.
  const principal = lastValue(flags, 'principal') ?? /<([^<>\s]+)>\s*$/.exec(author)?.[1] ?? author;
  return async (payload) => [await signPayload(key, principal, payload, signal)];
}

function requireShort(name: string, text: string, most: number): void {
  if (Buffer.byteLength(text) <= most) return;
  throw new ConfigError(
    'usage',
    `--${name} has ${Buffer.byteLength(text)} bytes, where ${most} are the most.`,
    'Shorten it.',
  );
}

function badValue(name: string, text: string, hint: string): ConfigError {
  return new ConfigError('usage', `--${name} cannot be ${JSON.stringify(text)}.`, hint);
}
