import { createHash } from 'node:crypto';
import { canonicalJson, parseCanonicalJson } from './canonical-json.ts';
import { Fields } from './fields.ts';
import { isDigest, isEnvironment, isReleaseId, MOST_SEQUENCE } from './layout.ts';
import { MOST_MANIFEST_BYTES } from './manifest.ts';
import { ReleaseError } from './release-error.ts';

export type ReleaseAction = 'deploy' | 'promote' | 'rollback';

/** The signed statement of a ref: which release to show, from when on, by which author, for which reason. */
export interface ReleasePayload {
  /** The name of the release root, so that one environment's ref cannot be replayed below another root. */
  readonly root: string;
  readonly environment: string;
  /** The number of the step: 1 for the first step of the environment, then one more for each further step. */
  readonly sequence: number;
  readonly action: ReleaseAction;
  /** The id of the release. */
  readonly release: string;
  /** SHA-256 and length of the release's manifest. */
  readonly manifest: { readonly sha256: string; readonly size: number };
  /** The previous step, with the SHA-256 of its payload; undefined for the first step. */
  readonly previous:
    | { readonly sequence: number; readonly release: string; readonly sha256: string }
    | undefined;
  /** Lets a writer recognize its own step if the store's answer to the write was lost. */
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** The release must not be shown before this time, in milliseconds since the epoch. */
  readonly notBefore: number | undefined;
  /** Whether the guard against mass deletions must let the step pass. */
  readonly allowDeletions: boolean;
  readonly author: string;
  readonly message: string;
  /** The git commit. */
  readonly commit: string | undefined;
  /** The URL of the CI run that deployed the release, or of the merge request. */
  readonly url: string | undefined;
  /** How many files differ from the release that was in force. */
  readonly changes: { readonly added: number; readonly changed: number; readonly removed: number };
}

export const MOST_PAYLOAD_BYTES = 256 * 1024;
const MOST_FILES_CHANGED = 1_000_000;
/** How long a step may wait for its time (`not_before`) at most. */
export const LONGEST_ARMED_MS = 7 * 24 * 3600 * 1000;

/**
 * Whether a step was withdrawn before its instant. Then it was never in force.
 *
 * @param next the step that follows it
 */
export function wasWithdrawn(
  { notBefore }: Pick<ReleasePayload, 'notBefore'>,
  next: Pick<ReleasePayload, 'created'>,
): boolean {
  return notBefore !== undefined && notBefore > next.created;
}

/** Returns the bytes of a payload, which are signed and stored. */
export function encodePayload(payload: ReleasePayload): Uint8Array {
  const { manifest, previous, changes } = payload;
  const text = canonicalJson({
    action: payload.action,
    allow_deletions: payload.allowDeletions || undefined,
    author: payload.author,
    changes: { added: changes.added, changed: changes.changed, removed: changes.removed },
    commit: payload.commit,
    created: instantText(payload.created),
    env: payload.environment,
    manifest: { sha256: manifest.sha256, size: manifest.size },
    message: payload.message,
    nonce: payload.nonce,
    not_before: payload.notBefore === undefined ? undefined : instantText(payload.notBefore),
    previous: previous && { release: previous.release, seq: previous.sequence, sha256: previous.sha256 },
    release: payload.release,
    root: payload.root,
    schema: 1,
    seq: payload.sequence,
    url: payload.url,
  });
  return Buffer.from(text);
}

/**
 * Decodes a payload. Checks each field, and that the fields do not contradict each other.
 *
 * @throws {ReleaseError} `malformed`
 */
export function decodePayload(bytes: Uint8Array): ReleasePayload {
  if (bytes.length > MOST_PAYLOAD_BYTES) throw malformed(`it is longer than ${MOST_PAYLOAD_BYTES} bytes`);
  const fields = new Fields(parseCanonicalJson(bytes, 'the payload'), 'the payload');
  fields.integer('schema', 1, 1);
  const sequence = fields.integer('seq', 1, MOST_SEQUENCE);
  const created = fields.instant('created');
  const payload: ReleasePayload = {
    root: fields.text('root', isNotEmpty),
    environment: fields.text('env', isEnvironment),
    sequence,
    action: fields.text('action', isAction) as ReleaseAction,
    release: fields.text('release', isReleaseId),
    manifest: manifestOf(fields.object('manifest')),
    previous: previousOf(fields.optionalObject('previous')),
    nonce: fields.text('nonce', (text) => /^[0-9a-f]{32}$/.test(text)),
    created,
    notBefore: fields.optionalInstant('not_before'),
    allowDeletions: fields.optionalBoolean('allow_deletions') ?? false,
    author: fields.text('author', isNotEmpty),
    message: fields.text('message'),
    commit: fields.optionalText('commit', (text) => /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text)),
    url: fields.optionalText('url', isWebAddress),
    changes: changesOf(fields.object('changes')),
  };
  fields.end();
  refuseContradictions(payload);
  return payload;
}

/** Returns the SHA-256 of a payload, by which the next payload names its previous step. */
export function digestOfPayload(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function manifestOf(fields: Fields): ReleasePayload['manifest'] {
  const manifest = {
    sha256: fields.text('sha256', isDigest),
    size: fields.integer('size', 1, MOST_MANIFEST_BYTES),
  };
  fields.end();
  return manifest;
}

function previousOf(fields: Fields | undefined): ReleasePayload['previous'] {
  if (fields === undefined) return undefined;
  const previous = {
    sequence: fields.integer('seq', 1, MOST_SEQUENCE),
    release: fields.text('release', isReleaseId),
    sha256: fields.text('sha256', isDigest),
  };
  fields.end();
  return previous;
}

function changesOf(fields: Fields): ReleasePayload['changes'] {
  const count = (name: string): number => fields.integer(name, 0, MOST_FILES_CHANGED);
  const changes = { added: count('added'), changed: count('changed'), removed: count('removed') };
  fields.end();
  return changes;
}

function refuseContradictions({ sequence, previous, created, notBefore }: ReleasePayload): void {
  if (previous === undefined && sequence !== 1) throw malformed('only the first step has none before it');
  if (previous !== undefined && previous.sequence !== sequence - 1) {
    throw malformed(`step ${sequence} follows step ${previous.sequence}`);
  }
  if (notBefore !== undefined && notBefore > created + LONGEST_ARMED_MS) {
    throw malformed('it is to be shown more than 7 days after it was made');
  }
}

function isAction(text: string): boolean {
  return text === 'deploy' || text === 'promote' || text === 'rollback';
}

function isNotEmpty(text: string): boolean {
  return text !== '';
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s]+$/.test(text);
}

function instantText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function malformed(message: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    `the payload says what cannot be: ${message}`,
    'Check which accounts can write below the release root, and deploy once more.',
  );
}
