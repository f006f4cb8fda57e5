import { ReleaseError } from './release-error.ts';

/** The form of an environment's name. Each environment has one ref. */
const ENVIRONMENT = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const RELEASE_ID = /^sha256-[0-9a-f]{64}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/**
 * How many digits every sequence number has in a key of the log. Because all have the same length, a listing
 * returns the keys in the order of the numbers.
 */
const SEQUENCE_DIGITS = 10;
export const MOST_SEQUENCE = 10 ** SEQUENCE_DIGITS - 1;

export function isEnvironment(text: string): boolean {
  return ENVIRONMENT.test(text);
}

/** Returns whether a text is `sha256-` and 64 hex digits. */
export function isReleaseId(text: string): boolean {
  return RELEASE_ID.test(text);
}

/** Returns whether a text is a SHA-256 as 64 hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** @throws {ReleaseError} `malformed` if the text is no name of an environment */
export function requireEnvironment(text: string): string {
  if (isEnvironment(text)) return text;
  throw new ReleaseError(
    'malformed',
    `${JSON.stringify(text.slice(0, 80))} is no name of an environment`,
    'Use 1 to 63 lower-case letters, digits, dots, hyphens and underscores, with a letter or a digit first.',
  );
}

/**
 * Returns whether a collection may delete a key once no step needs the object: true for a pack or a manifest,
 * never for a ref, a log entry or a witness.
 */
export function isCollectable(key: string): boolean {
  return (
    /^packs\/[0-9a-f]{64}$/.test(key) || /^manifests\/sha256-[0-9a-f]{64}\/[0-9a-f]{64}\.json$/.test(key)
  );
}

/** Returns the sequence number in a key of the log; undefined if no step can have such a key. */
export function sequenceOfLogKey(key: string): number | undefined {
  const [, digits] = /^log\/[^/]+\/(\d{10})\.json$/.exec(key) ?? [];
  const sequence = Number(digits ?? 0);
  return sequence === 0 ? undefined : sequence;
}

/** Keys below the release root, without a leading slash. The caller must check the parts of a key first. */
export const releaseKeys = {
  /** The ref of an environment: the envelope of its newest step. Changed only by compare-and-swap. */
  ref: (environment: string): string => `refs/${environment}.json`,
  /** The log entry of a step: the envelope that the ref had at this sequence number. Never changed. */
  logEntry: (environment: string, sequence: number): string =>
    `log/${environment}/${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.json`,
  log: (environment: string): string => `log/${environment}/`,
  /**
   * A manifest, which is never changed. One release may have several manifests: the same files in other
   * packs. A witness never has the same key, because a digest has 64 characters and the name of an
   * environment has at most 63.
   */
  manifest: (id: string, digest: string): string => `manifests/${id}/${digest}.json`,
  /**
   * A witness: the envelope of the first step that brought this release to this environment. Replaced only
   * if it, or the manifest that it names, is missing or damaged.
   */
  witness: (id: string, environment: string): string => `manifests/${id}/${environment}.json`,
  manifests: 'manifests/',
  packs: 'packs/',
  refs: 'refs/',
  logs: 'log/',
  /** The document that lists the keys about to be deleted. Changed only by compare-and-swap. */
  condemned: 'meta/gc.json',
  /** A pack, which is never changed. */
  pack: (digest: string): string => `packs/${digest}`,
} as const;
