import { ReleaseError } from './release-error.ts';

/** The name of an environment. Each has one ref. */
const ENVIRONMENT = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const RELEASE_ID = /^sha256-[0-9a-f]{64}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** The digits of every sequence number in a key of the log: equal lengths keep a listing in order. */
const SEQUENCE_DIGITS = 10;
export const MOST_SEQUENCE = 10 ** SEQUENCE_DIGITS - 1;

export function isEnvironment(text: string): boolean {
  return ENVIRONMENT.test(text);
}

/** `sha256-` and 64 hex digits. */
export function isReleaseId(text: string): boolean {
  return RELEASE_ID.test(text);
}

/** 64 hex digits of a SHA-256. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** @throws {ReleaseError} `malformed` */
export function requireEnvironment(text: string): string {
  if (isEnvironment(text)) return text;
  throw new ReleaseError(
    'malformed',
    `${JSON.stringify(text.slice(0, 80))} is no name of an environment`,
    'Use 1 to 63 lower-case letters, digits, dots, hyphens and underscores, with a letter or a digit first.',
  );
}

/** Whether a key may be deleted once no step needs it: a pack or a manifest, never a ref, a log entry or a witness. */
export function isCollectable(key: string): boolean {
  return (
    /^packs\/[0-9a-f]{64}$/.test(key) || /^manifests\/sha256-[0-9a-f]{64}\/[0-9a-f]{64}\.json$/.test(key)
  );
}

/** The number of the step that a key of the log is for; undefined if no step has such a key. */
export function sequenceOfLogKey(key: string): number | undefined {
  const [, digits] = /^log\/[^/]+\/(\d{10})\.json$/.exec(key) ?? [];
  const sequence = Number(digits ?? 0);
  return sequence === 0 ? undefined : sequence;
}

/** Keys below the release root, without a leading slash. The caller has checked the parts. */
export const releaseKeys = {
  /** Mutable, by compare-and-swap alone: the pointer of an environment. */
  ref: (environment: string): string => `refs/${environment}.json`,
  /** Never changed: the envelope that the ref had at this sequence number. */
  logEntry: (environment: string, sequence: number): string =>
    `log/${environment}/${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.json`,
  log: (environment: string): string => `log/${environment}/`,
  /**
   * Never changed. One release may have several: the same files in other packs. No environment's witness has this key:
   * a digest has 64 characters, the name of an environment at most 63.
   */
  manifest: (id: string, digest: string): string => `manifests/${id}/${digest}.json`,
  /** Never changed: the envelope of the first step that brought this release to this environment. */
  witness: (id: string, environment: string): string => `manifests/${id}/${environment}.json`,
  manifests: 'manifests/',
  packs: 'packs/',
  refs: 'refs/',
  logs: 'log/',
  /** The keys that are about to be deleted. Changed by compare-and-swap only. */
  condemned: 'meta/gc.json',
  /** Never changed. */
  pack: (digest: string): string => `packs/${digest}`,
} as const;
