import type { ReleaseStep } from '../source/source.ts';
import type { Failure } from './failure.ts';
import type { HeldView } from './held.ts';
import type { HistoryEntry } from './history.ts';
import type { GenerationSummary } from './shown.ts';
import type { NamedObject } from './unreadable/failed-object.ts';

/** An event, for listeners. Times are milliseconds since the epoch. */
export type SyncNotice =
  /** Every lookup now sees the generation. */
  | { readonly kind: 'published'; readonly generation: GenerationSummary; readonly entry: HistoryEntry }
  /** A release has arrived, and will be shown at an instant. */
  | { readonly kind: 'armed'; readonly release: ReleaseStep; readonly at: number }
  /** A listing is held, and it is not the one that was held before. */
  | { readonly kind: 'held'; readonly held: HeldView }
  /** The set of shown but unreadable files changed; it is empty if `files` is 0. */
  | {
      readonly kind: 'unreadable-objects';
      readonly files: number;
      /** The first of these files. */
      readonly objects: readonly NamedObject[];
    }
  /** Revalidations begin to fail, or fail for another reason. */
  | { readonly kind: 'source-error'; readonly error: Failure & { readonly at: number } }
  /** A listing has taken long, and has not ended. */
  | { readonly kind: 'source-slow'; readonly since: number }
  | {
      readonly kind: 'source-recovered';
      /** How many revalidations failed before this success. */
      readonly failures: number;
      readonly failingSince: number | undefined;
    };
