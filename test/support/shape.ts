import { join } from 'node:path';

/**
 * How the tree that a test writes is mounted. `prefix`: objects below a prefix, the tree is the mount. `current`: each
 * write is a deploy, the tree is `current/` of a mount with --versions. `version`: the same, the tree is the release that
 * was shown first, in `versions/`. `trees`: objects below a prefix, the tree is one of two of a mount.
 */
const shapes = ['prefix', 'current', 'version', 'trees'] as const;
export type Shape = (typeof shapes)[number];

export function shapeNamed(name: string | undefined): Shape | undefined {
  return shapes.find((shape) => shape === name);
}

/** That of every store and mount of this run of the tests: DAGMOUNT_TEST_SHAPE, which is prefix unless given. */
export const testedShape: Shape = shapeNamed(process.env.DAGMOUNT_TEST_SHAPE) ?? 'prefix';

/** Whether the first server of every mount is killed before the test begins, so that its successor is what is tested. */
export const testsSuccessor = process.env.DAGMOUNT_TEST_SUCCESSOR !== undefined;

/** Whether what a test writes are the files of releases, and not objects. */
export const isReleased = testedShape === 'current' || testedShape === 'version';

export const testsTrees = testedShape === 'trees';
/** The directory of the tested tree of several, and of the other one. */
export const TREE = 'dags';
export const BESIDE = 'beside';

/** Where the tree is that follows the store. */
export function treeAt(mountPoint: string): string {
  if (testsTrees) return join(mountPoint, TREE);
  return isReleased ? join(mountPoint, 'current') : mountPoint;
}
