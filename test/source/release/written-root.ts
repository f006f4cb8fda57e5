import { createHash, randomBytes } from 'node:crypto';
import {
  digestOfPayload,
  type EnvelopeSignature,
  encodeEnvelope,
  encodeManifest,
  encodePayload,
  type ReleasedFile,
  type ReleasePayload,
  releaseId,
  releaseKeys,
} from '../../../src/release/index.ts';
import type { ReaderAnswer, ReadOptions, ReleaseReader } from '../../../src/source/release/release-reader.ts';

export const ROOT = 's3://bucket/airflow';
export const ENVIRONMENT = 'production';

export interface WrittenStep {
  readonly payload: ReleasePayload;
  readonly digest: string;
  /** The envelope. */
  readonly bytes: Uint8Array;
}

export type Signing = (payload: Uint8Array) => readonly EnvelopeSignature[];

/** A release root in memory, as readers see it in a store. A test sets its clock. */
export class WrittenRoot implements ReleaseReader {
  readonly objects = new Map<string, Uint8Array>();
  readonly reads: string[] = [];
  /** The store's time, in milliseconds since the epoch. */
  now = Date.UTC(2026, 10, 20, 12);
  /** Whether the store's answers have a Date. */
  dated = true;
  /** Called before each answer. */
  before: (key: string) => void = () => undefined;

  async read(key: string, { most, unless }: ReadOptions): Promise<ReaderAnswer> {
    this.reads.push(key);
    this.before(key);
    const date = this.dated ? Math.floor(this.now / 1000) * 1000 : undefined;
    const bytes = this.objects.get(key);
    if (bytes === undefined) return { look: { kind: 'absent' }, date };
    const etag = createHash('md5').update(bytes).digest('hex');
    if (etag === unless) return { look: { kind: 'same' }, date };
    if (bytes.length > most) return { look: { kind: 'too-long' }, date };
    return { look: { kind: 'read', bytes, etag }, date };
  }

  /** Writes a step as deploy does: its manifest, the ref, the log, the witness. */
  deploy(
    paths: readonly string[],
    before: WrittenStep | undefined,
    change: Partial<ReleasePayload> = {},
    sign: Signing = () => [],
  ): WrittenStep {
    const files = paths.map(fileOf);
    const manifest = encodeManifest(files);
    const sha256 = digestOf(manifest);
    const step = stepOf(
      {
        root: ROOT,
        environment: ENVIRONMENT,
        sequence: (before?.payload.sequence ?? 0) + 1,
        action: 'deploy',
        release: releaseId(files),
        manifest: { sha256, size: manifest.length },
        previous: before && {
          sequence: before.payload.sequence,
          release: before.payload.release,
          sha256: before.digest,
        },
        nonce: randomBytes(16).toString('hex'),
        created: this.now,
        notBefore: undefined,
        allowDeletions: false,
        author: 'zoe',
        message: 'Load the orders',
        commit: undefined,
        url: undefined,
        changes: { added: 1, changed: 0, removed: 0 },
        ...change,
      },
      sign,
    );
    const { release, environment, sequence } = step.payload;
    this.objects.set(releaseKeys.manifest(release, sha256), manifest);
    this.objects.set(releaseKeys.ref(environment), step.bytes);
    this.objects.set(releaseKeys.logEntry(environment, sequence), step.bytes);
    const witness = releaseKeys.witness(release, environment);
    if (!this.objects.has(witness)) this.objects.set(witness, step.bytes);
    return step;
  }

  /** Replaces the ref by this step, and changes nothing else. */
  putRef(step: WrittenStep, environment = ENVIRONMENT): void {
    this.objects.set(releaseKeys.ref(environment), step.bytes);
  }
}

export function stepOf(payload: ReleasePayload, sign: Signing = () => []): WrittenStep {
  const bytes = encodePayload(payload);
  return {
    payload,
    digest: digestOfPayload(bytes),
    bytes: encodeEnvelope({ payload: bytes, signatures: sign(bytes) }),
  };
}

export function fileOf(path: string): ReleasedFile {
  return {
    path,
    size: 3,
    sha256: digestOf(path),
    executable: false,
    place: { pack: digestOf(`pack ${path}`), offset: 0 },
  };
}

export function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
