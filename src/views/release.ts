import type { PastReleaseView, ReleaseStepView, ReleaseView } from '../control/shapes/release.ts';
import { MOST_AUTHOR, MOST_MESSAGE, MOST_URL } from '../control/shapes/release.ts';
import type { ShownStep } from '../host/mount-state.ts';
import type { ReleaseStep } from '../source/source.ts';
import type { PastRelease } from '../sync/history.ts';
import type { SyncView } from '../sync/sync-view.ts';

/** Returns the shown release, and the release that waits for its time, as `status` shows them. */
export function releaseView({ step, armed }: NonNullable<SyncView['release']>): ReleaseView {
  const next = armed?.candidate.release;
  return {
    ref: step.ref,
    ...releaseStepView(step),
    armed:
      armed === undefined || next === undefined
        ? null
        : { ...releaseStepView(next), at: new Date(armed.at).toISOString() },
  };
}

export function releaseStepView(step: ReleaseStep): ReleaseStepView {
  const { sequence, id, author, message, commit, url, created, signedBy } = step;
  return {
    seq: sequence,
    id,
    author: author.slice(0, MOST_AUTHOR),
    message: message.slice(0, MOST_MESSAGE),
    commit: commit ?? null,
    // A URL that is too long is left out, because a cut one would lead elsewhere.
    url: url === undefined || url.length > MOST_URL ? null : url,
    created: new Date(created).toISOString(),
    signedBy: signedBy.map(({ fingerprint, principals }) => ({ fingerprint, principals })),
  };
}

/**
 * Returns the step of the shown release as the list of the host's mounts has it; undefined without a release.
 */
export function shownStepOf(release: ReleaseStep | undefined): ShownStep | undefined {
  return release && { ref: release.ref, seq: release.sequence, id: release.id };
}

/**
 * Returns the release of a generation as a member to be spread into an object. A generation of a prefix has
 * no release, so the member is missing then.
 */
export function pastReleaseMember(release: PastRelease | undefined): { readonly release?: PastReleaseView } {
  if (release === undefined) return {};
  const { sequence, id, author, message } = release;
  return { release: { seq: sequence, id, author, message } };
}
