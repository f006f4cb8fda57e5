import { EventFeed } from '../control/event-feed.ts';
import type { StuckPublication } from '../session/publication-watch.ts';
import type { StandbyView } from '../source/standby/standby-view.ts';
import type { SyncNotice } from '../sync/notice.ts';
import { generationView, heldView, sourceErrorView, stuckView, timeOf, timeOrNull } from './daemon-views.ts';
import { pastReleaseMember, releaseStepView } from './release.ts';

export type CacheTrouble = 'cache-unwritable' | 'cache-full' | 'corrupt';

/** Turns what happens in a daemon into events for the listeners of the socket. */
export class DaemonEvents {
  readonly feed: EventFeed;
  /** A member that names the tree in each event; {} unless the mount shows several trees. */
  readonly #of: { readonly tree?: string };
  #toldStandby = 'false undefined';

  constructor(tree?: string, feed?: EventFeed) {
    this.feed = feed ?? new EventFeed({ now: Date.now, epoch: Date.now().toString(36) });
    this.#of = tree === undefined ? {} : { tree };
  }

  /** Called after each publication. */
  onPublished: () => void = () => undefined;

  readonly notice = (notice: SyncNotice): void => {
    switch (notice.kind) {
      case 'published': {
        const { added, changed, removed, release } = notice.entry;
        const generation = generationView(notice.generation);
        const by = pastReleaseMember(release);
        this.feed.emit({ ...this.#of, type: 'generation', generation, added, changed, removed, ...by });
        this.onPublished();
        break;
      }
      case 'armed': {
        const showAt = timeOf(notice.at);
        this.feed.emit({ ...this.#of, type: 'armed', release: releaseStepView(notice.release), showAt });
        break;
      }
      case 'held':
        this.feed.emit({ ...this.#of, type: 'held', held: heldView(notice.held) });
        break;
      case 'unreadable-objects':
        this.feed.emit({
          ...this.#of,
          type: 'unreadable-objects',
          files: notice.files,
          objects: [...notice.objects],
        });
        break;
      case 'source-error':
        this.feed.emit({ ...this.#of, type: 'source-error', error: sourceErrorView(notice.error) });
        break;
      case 'source-slow':
        this.feed.emit({ ...this.#of, type: 'source-slow', since: timeOf(notice.since) });
        break;
      case 'source-recovered': {
        const { failures, failingSince } = notice;
        const since = timeOrNull(failingSince);
        this.feed.emit({ ...this.#of, type: 'source-recovered', failures, failingSince: since });
        break;
      }
      default:
        notice satisfies never;
    }
  };

  readonly standby = ({ source, isActive, firstIsBehind }: StandbyView): void => {
    const told = `${isActive} ${firstIsBehind}`;
    if (told === this.#toldStandby) return;
    this.#toldStandby = told;
    this.feed.emit({
      ...this.#of,
      type: 'source-standby',
      source,
      active: isActive,
      firstIsBehind: firstIsBehind ?? null,
    });
  };

  readonly cacheTrouble = (code: CacheTrouble, detail: string): void => {
    this.feed.emit({ ...this.#of, type: 'cache-error', code, detail });
  };

  readonly publicationStuck = (stuck: StuckPublication | undefined): void => {
    this.feed.emit(
      stuck === undefined
        ? { type: 'publication-freed' }
        : { type: 'publication-stuck', stuck: stuckView(stuck) },
    );
  };

  restarted({
    restarts = 0,
    reason = '',
  }: {
    readonly restarts: number | undefined;
    readonly reason: string | undefined;
  }): void {
    this.feed.emit({ type: 'restart', restarts, reason });
  }
}
