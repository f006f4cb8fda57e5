export type { ContentPlace, ContentVersion } from '../base/content-version.ts';
export type { AdoptedObject, AdoptedObjects } from './adopt.ts';
export {
  type BuildInput,
  type BuildResult,
  buildGeneration,
  setPublishTime,
  withoutHistory,
} from './build.ts';
export { listedEtag } from './date-mark.ts';
export { diffGenerations, type GenerationChanges } from './diff.ts';
export { digestDates, digestListing } from './digest.ts';
export { type FilterPatterns, type FilterVerdict, PathFilter } from './filter.ts';
export { Generation } from './generation.ts';
export { versionName } from './identity.ts';
export { judgeKey } from './key-rules.ts';
export { NONE } from './layout.ts';
export type { ListedObjects, ReleasedColumns } from './listing.ts';
export { halfSipHash } from './name-hash.ts';
export { orderByPath, placeInOrder } from './path-order.ts';
export { PatternList } from './patterns.ts';
export { generationBytes, restoreGeneration } from './persist.ts';
export { describeProblem, type Problem, type ProblemReason, showKey } from './problem.ts';
export { TreeError, type TreeErrorCode } from './tree-error.ts';
