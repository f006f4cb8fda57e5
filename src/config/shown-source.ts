import type { MountConfig } from './mount-config.ts';

/** What a mount shows, and the conditions that it must meet. */
export type ShownSource = ShownPrefix | ShownRelease;

/** The objects below a prefix, as they are listed. */
export interface ShownPrefix {
  readonly kind: 'prefix';
  /**
   * The key of an object that is polled instead of the listing. If that object has changed, dagmount lists
   * the prefix. Undefined if the listing itself is polled.
   */
  readonly watchKey: string | undefined;
}

/** The release that an environment's ref names. */
export interface ShownRelease {
  readonly kind: 'release';
  /** The name of the release root. */
  readonly root: string;
  readonly environment: string;
  readonly minSequence: number;
  readonly allowedSigners: string | undefined;
  readonly stateDirectory: string;
}

type Options = Pick<
  MountConfig,
  'ref' | 'source' | 'releaseRoot' | 'minSeq' | 'allowedSigners' | 'stateDir' | 'watchKey'
>;

/**
 * Returns what a mount shows. This is the only place that reads from the options whether a mount shows a
 * prefix or a release.
 */
export function shownSource(config: Options): ShownSource {
  const { ref: environment, source, releaseRoot, minSeq, allowedSigners, stateDir, watchKey } = config;
  if (environment === undefined) return { kind: 'prefix', watchKey };
  return {
    kind: 'release',
    root: releaseRoot ?? source.replace(/\/$/, ''),
    environment,
    minSequence: minSeq,
    allowedSigners,
    stateDirectory: stateDir,
  };
}
