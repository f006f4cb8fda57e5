import type { ReleaseStep } from '../source/source.ts';
import type { Failure } from './failure.ts';
import type { HeldView } from './held.ts';
import type { HistoryEntry } from './history.ts';
import type { GenerationSummary } from './shown.ts';
import type { NamedObject } from './unreadable/failed-object.ts';

/** Something that happened, for whoever listens. Times are milliseconds since the epoch. */
export type SyncNotice =
  /** Every lookup sees it. */
  | { readonly kind: 'published'; readonly generation: GenerationSummary; readonly entry: HistoryEntry }
  /** A release is here, and is shown at an instant. */
  | { readonly kind: 'armed'; readonly release: ReleaseStep; readonly at: number }
  /** A listing is held, or another one than before. */
  | { readonly kind: 'held'; readonly held: HeldView }
  /** Other files than before are shown although their content cannot be had; none any more where `files` is 0. */
  | {
      readonly kind: 'unreadable-objects';
      readonly files: number;
      /** The first of them. */
      readonly objects: readonly NamedObject[];
    }
  /** Revalidations begin to fail, or fail for another reason. */
  | { readonly kind: 'source-error'; readonly error: Failure & { readonly at: number } }
  /** A listing takes long, and has not ended. */
  | { readonly kind: 'source-slow'; readonly since: number }
  | {
      readonly kind: 'source-recovered';
      /** Revalidations that had failed. */
      readonly failures: number;
      readonly failingSince: number | undefined;
    };
