import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Deployed } from '../../src/deploy/deploy.ts';
import type { SourceFile } from '../../src/deploy/source-files.ts';

export const ENVIRONMENTS = ['staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
/** The number of different contents: few, so that old ones come back. */
const CONTENTS = 3;
/** The index of the collector, the last of the four actors of a history. */
export const COLLECTOR = 3;
const PATHS = ['a.py', 'b.py', 'lib/c.py', 'lib/d.py'] as const;

/** What one of the three deployers, or the collector, does next. */
export type Operation = (
  | { readonly kind: 'tree'; readonly contents: readonly number[] }
  | { readonly kind: 'file'; readonly path: number; readonly content: number }
  | { readonly kind: 'remove'; readonly path: number }
  | { readonly kind: 'promote' }
  | { readonly kind: 'rollback'; readonly steps: number }
  /** `paused`: how many operations the deployers do just before the collector deletes something. */
  | { readonly kind: 'collect'; readonly keep: number; readonly paused: number }
  | { readonly kind: 'wait'; readonly minutes: number }
) & {
  readonly environment: Environment;
  /** The call at which the process is killed, and whether the store has executed it; undefined: no kill. */
  readonly killed: { readonly at: number; readonly done: boolean } | undefined;
  /** The call whose answer is lost, and whether the store has executed it. */
  readonly lost: { readonly at: number; readonly done: boolean } | undefined;
  /** The call that waits until the collector has done this many more operations. */
  readonly stalled: { readonly at: number; readonly operations: number } | undefined;
};

/** The operations of the three deployers and the collector: each in its order, all four at the same time. */
export type History = readonly (readonly Operation[])[];

/** A fault that most operations do not meet: an operation that ends early shows little of what follows. */
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

/** Collects, then waits long enough for the next collection to delete what this one condemned, or just not so long. */
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

/** Makes files to deploy. Each content is on the disk once. */
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

/** One operation that was carried out, identified by the message of its step. */
export interface Attempt {
  readonly message: string;
  readonly operation: Operation;
  /** `unknown`: the process was killed, or gave up without knowing whether its step was taken. */
  end: 'taken' | 'not-taken' | 'unknown';
  /** The number of the step that a deployer saw at its first look. */
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
