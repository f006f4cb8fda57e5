import type { Failure } from './failure.ts';
import type { HeldView } from './held.ts';
import type { GenerationSummary } from './shown.ts';
import type { WaitingView } from './unreadable/object-wait.ts';

/** How one revalidation ended, and the tree shown after it. */
export type Outcome =
  | { readonly kind: 'current' | 'published'; readonly generation: GenerationSummary }
  | { readonly kind: 'held'; readonly generation: GenerationSummary; readonly held: HeldView }
  /** A newer tree waits for unreadable objects. */
  | { readonly kind: 'waiting'; readonly generation: GenerationSummary; readonly waiting: WaitingView }
  | { readonly kind: 'failed'; readonly generation: GenerationSummary | undefined; readonly error: Failure };

export type Accepted =
  | { readonly kind: 'accepted'; readonly generation: GenerationSummary }
  | { readonly kind: 'nothing-held' }
  /** The current hold, if any, is not the one to be accepted. */
  | { readonly kind: 'changed'; readonly held: HeldView | undefined }
  | { readonly kind: 'failed'; readonly error: Failure };
