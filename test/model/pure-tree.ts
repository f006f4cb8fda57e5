import { setPublishTime } from '../../src/tree/build.ts';
import type { Generation } from '../../src/tree/generation.ts';
import { build, indices } from '../tree/arbitraries.ts';
import { contentOf, etagOf, MountModel, type Seen } from './model.ts';
import { applyTo, type Bucket, type History } from './operations.ts';

const firstSecond = 2_000_000_000;

/** Publishes bucket after bucket as the daemon does, without store, kernel or clock. */
class PureMount {
  readonly #removedDirectories = new Map<string, number>();
  #current: Generation | undefined;
  #nextNodeId = 2;
  #number = 0;

  publish(bucket: Bucket): Generation {
    const previous = this.#current;
    const objects = [...bucket].map(([key, body]) => ({
      key: Buffer.from(key, 'latin1'),
      size: Buffer.byteLength(body),
      etag: etagOf(body),
      lastModified: (firstSecond - 7) * 1000,
    }));
    const built = build(objects, {
      previous,
      removedDirectories: this.#removedDirectories,
      nextNodeId: this.#nextNodeId,
      now: firstSecond * 1000,
    });
    const { generation, changes } = built;
    if (previous !== undefined && generation.id === previous.id) return previous;
    this.#number += 1;
    const at = { seconds: firstSecond + this.#number, nanoseconds: 123_456_789 };
    setPublishTime(generation, changes, at, this.#number);
    for (const i of changes?.removed ?? []) {
      if (previous?.isDirectory(i) === true)
        this.#removedDirectories.set(previous.path(i), previous.nodeId(i));
    }
    for (const i of changes?.added ?? []) {
      if (generation.isDirectory(i)) this.#removedDirectories.delete(generation.path(i));
    }
    this.#current = generation;
    this.#nextNodeId = built.nextNodeId;
    return generation;
  }
}

function viewOf(generation: Generation, bucket: Bucket): Map<string, Seen> {
  // A version stands for the bytes that the store has under its ETag.
  const contents = new Map([...bucket.values()].map((body) => [etagOf(body), contentOf(body)]));
  return new Map(
    indices(generation).map((i) => {
      const isDirectory = generation.isDirectory(i);
      return [
        generation.path(i),
        {
          kind: isDirectory ? 'directory' : 'file',
          size: generation.size(i),
          content: isDirectory ? undefined : contents.get(generation.etag(i)),
          links: isDirectory ? 2 + generation.subdirectories(i) : 1,
          mtime: BigInt(generation.mtimeSeconds(i)) * 1_000_000_000n + BigInt(generation.mtimeNanoseconds(i)),
        },
      ];
    }),
  );
}

/** Checks every tree of this history against the model, and probes paths that do not exist. */
export function checkOnPureTree(history: History): void {
  const mount = new PureMount();
  const model = new MountModel();
  const bucket: Bucket = new Map();
  const far = BigInt(firstSecond + history.length + 2) * 1_000_000_000n;
  for (const step of history) {
    for (const operation of step) applyTo(bucket, operation);
    const generation = mount.publish(bucket);
    model.check(bucket, viewOf(generation, bucket), far);
    for (const path of model.everSeen) {
      if ((generation.find(path) !== -1) === model.has(path)) continue;
      throw new Error(`${JSON.stringify(path)} is ${model.has(path) ? 'not found' : 'found'}`);
    }
  }
}
