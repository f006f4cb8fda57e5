import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Deployed } from '../../src/deploy/deploy.ts';
import type { SourceFile } from '../../src/deploy/source-files.ts';

export const ENVIRONMENTS = ['staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
/** Contents of files, by number; a few, so that old ones come back. */
const CONTENTS = 3;
/** Of the four of a history the last. */
export const COLLECTOR = 3;
const PATHS = ['a.py', 'b.py', 'lib/c.py', 'lib/d.py'] as const;

/** What one of the three deployers, or the collector, does next. */
export type Operation = (
  | { readonly kind: 'tree'; readonly contents: readonly number[] }
  | { readonly kind: 'file'; readonly path: number; readonly content: number }
  | { readonly kind: 'remove'; readonly path: number }
  | { readonly kind: 'promote' }
  | { readonly kind: 'rollback'; readonly steps: number }
  /** `paused`: just before it deletes something, deployers do so many operations. */
  | { readonly kind: 'collect'; readonly keep: number; readonly paused: number }
  | { readonly kind: 'wait'; readonly minutes: number }
) & {
  readonly environment: Environment;
  /** The call at which its process is killed, and whether the store has done that call; undefined: it is not. */
  readonly killed: { readonly at: number; readonly done: boolean } | undefined;
  /** The call whose answer is lost, and whether the store has done that call. */
  readonly lost: { readonly at: number; readonly done: boolean } | undefined;
  /** The call that waits until the collector has done so many more operations. */
  readonly stalled: { readonly at: number; readonly operations: number } | undefined;
};

/** What each of the three deployers and the collector do, one after another; all four at the same time. */
export type History = readonly (readonly Operation[])[];

/** Of an operation: more often than not it meets nothing, since one that ends early shows little of what follows. */
const seldom = <T>(fault: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fault });
const call = seldom(fc.record({ at: fc.nat(14), done: fc.boolean() }));
const common = {
  environment: fc.constantFrom(...ENVIRONMENTS),
  killed: call,
  lost: call,
  stalled: fc.option(fc.record({ at: fc.nat(14), operations: fc.integer({ min: 1, max: 6 }) }), {
    nil: undefined,
    freq: 2,
  }),
};
const content = fc.nat(CONTENTS - 1);
const path = fc.nat(PATHS.length - 1);
const deployerOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constant('tree' as const),
    contents: fc.array(content, { minLength: 1, maxLength: PATHS.length }),
    ...common,
  }),
  fc.record({ kind: fc.constant('file' as const), path, content, ...common }),
  fc.record({ kind: fc.constant('remove' as const), path, ...common }),
  fc.record({ kind: fc.constant('promote' as const), ...common }),
  fc.record({ kind: fc.constant('rollback' as const), steps: fc.nat(3), ...common }),
);
const never = fc.constant(undefined);

/** Collects, and lets so much time pass that the next collection may delete what this one condemned, or just not yet. */
const collections: fc.Arbitrary<readonly Operation[]> = fc.constantFrom(1, 1, 2, 3).chain((keep) =>
  fc
    .array(
      fc.tuple(
        fc.record({
          kind: fc.constant('collect' as const),
          keep: fc.constant(keep),
          paused: fc.nat(3),
          ...common,
          stalled: never,
        }),
        fc.record({
          kind: fc.constant('wait' as const),
          minutes: fc.constantFrom(20, 70, 125, 125),
          ...common,
          stalled: never,
        }),
      ),
      { maxLength: 8 },
    )
    .map((pairs) => pairs.flat()),
);
const deployer = fc.array(deployerOperation, { minLength: 1, maxLength: 5 });

export const histories: fc.Arbitrary<History> = fc.tuple(deployer, deployer, deployer, collections);

/** Files to deploy, by content: what is in them stands on the disk once. */
export function writeContents(directory: string): (path: string, content: number) => SourceFile {
  mkdirSync(directory, { recursive: true });
  const files = Array.from({ length: CONTENTS }, (_, at) => {
    const text = `content ${at}\n`.repeat(at + 1);
    const source = join(directory, String(at));
    writeFileSync(source, text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { source, sha256, size: Buffer.byteLength(text), executable: false };
  });
  return (filePath, at) => ({ path: filePath, ...files[at]! });
}

/** One operation as it was carried out, by the message that its step has. */
export interface Attempt {
  readonly message: string;
  readonly operation: Operation;
  /** `unknown`: its process was killed, or it gave up without knowing whether its step was taken. */
  end: 'taken' | 'not-taken' | 'unknown';
  /** The number of the step that a deployer saw when it looked first. */
  seen: number | undefined;
}

export function deployedOf(
  operation: Extract<Operation, { readonly kind: 'tree' | 'file' | 'remove' }>,
  file: (path: string, content: number) => SourceFile,
): Deployed {
  if (operation.kind === 'tree')
    return { kind: 'tree', files: operation.contents.map((one, at) => file(PATHS[at]!, one)) };
  const name = PATHS[operation.path]!;
  return operation.kind === 'file'
    ? { kind: 'files', files: [file(name, operation.content)], removed: [] }
    : { kind: 'files', files: [], removed: [name] };
}
