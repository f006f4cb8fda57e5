import { join } from 'node:path';

/**
 * How a mount shows the tree that a test writes. `prefix`: objects below a prefix; the tree is the mount. `current`:
 * each write is a deploy; the tree is `current/` of a mount with --versions. `version`: the same, but the tree is the
 * first release, in `versions/`. `trees`: objects below a prefix; the tree is one of two of a mount.
 */
const shapes = ['prefix', 'current', 'version', 'trees'] as const;
export type Shape = (typeof shapes)[number];

export function shapeNamed(name: string | undefined): Shape | undefined {
  return shapes.find((shape) => shape === name);
}

/** The shape of every store and mount in this run of the tests: DAGMOUNT_TEST_SHAPE, by default prefix. */
export const testedShape: Shape = shapeNamed(process.env.DAGMOUNT_TEST_SHAPE) ?? 'prefix';

/** Whether each test kills the first server of every mount before it begins, in order to test the successor. */
export const testsSuccessor = process.env.DAGMOUNT_TEST_SUCCESSOR !== undefined;

/** Whether a test writes the files of releases, and not objects. */
export const isReleased = testedShape === 'current' || testedShape === 'version';

export const testsTrees = testedShape === 'trees';
/** The directories of the tested tree and of the other one, in a mount of two trees. */
export const TREE = 'dags';
export const BESIDE = 'beside';

/** The directory of the tree that follows the store. */
export function treeAt(mountPoint: string): string {
  if (testsTrees) return join(mountPoint, TREE);
  return isReleased ? join(mountPoint, 'current') : mountPoint;
}
