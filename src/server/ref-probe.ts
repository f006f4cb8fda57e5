import { printable } from '../base/printable.ts';
import type { ShownRelease } from '../config/shown-source.ts';
import type { StoreConnection } from '../source/prefix/store-connection.ts';
import { type BelievedRelease, RefWatch } from '../source/release/ref-watch.ts';
import { S3ReleaseReader } from '../source/release/s3-release-reader.ts';
import { SignersFile } from '../source/release/signers-file.ts';
import { VolatileStepMemory } from '../source/release/step-memory.ts';
import { SignedHttp } from '../store/http/signed-http.ts';
import { refuseHeld } from '../sync/source-hold.ts';
import type { StoreFinding } from './server-port.ts';

/**
 * Judges the ref as a mount does at its first start: its signature, its log and its manifest. Ignores the
 * steps that the mounts of this host remember.
 */
export async function probeRef(
  release: ShownRelease,
  connection: StoreConnection,
  signal: AbortSignal,
): Promise<StoreFinding> {
  const { root, environment: ref, allowedSigners, minSequence } = release;
  const signers = allowedSigners === undefined ? undefined : new SignersFile(allowedSigners);
  const watch = new RefWatch({
    reader: new S3ReleaseReader(new SignedHttp(connection)),
    root,
    environment: ref,
    signers: signers && (() => signers.read()),
    minSequence,
    memory: new VolatileStepMemory(),
    clock: { now: Date.now },
  });
  const look = await watch.look(signal);
  switch (look.kind) {
    case 'held':
      return { name: 'ref', outcome: 'bad', detail: look.hold.detail, error: refuseHeld(look.hold) };
    case 'release':
      return found(ref, look.release, allowedSigners !== undefined, '');
    case 'armed':
      return found(
        ref,
        look.release,
        allowedSigners !== undefined,
        `, armed for ${new Date(look.instant).toISOString()}`,
      );
    // A new watch does not return these two, because it has no earlier step to compare with.
    case 'unchanged':
    case 'due':
      return { name: 'ref', outcome: 'good', detail: ref };
    default:
      throw new Error(`unforeseen: ${JSON.stringify(look satisfies never)}`);
  }
}

function found(ref: string, { step, manifest }: BelievedRelease, asked: boolean, when: string): StoreFinding {
  const { sequence, author } = step.payload;
  const detail = `${ref} is at step ${sequence}, by ${printable(author, 100)}, with ${manifest.files.length} files${when}`;
  if (asked) return { name: 'ref', outcome: 'good', detail: `${detail}; signed` };
  return {
    name: 'ref',
    outcome: 'doubtful',
    detail: `${detail}; signatures are not asked for`,
    hint: 'Any account that can write to the bucket can release: name the allowed keys by --allowed-signers.',
  };
}
