import { EventFeed } from '../control/event-feed.ts';
import type { StuckPublication } from '../session/publication-watch.ts';
import type { StandbyView } from '../source/standby/standby-view.ts';
import type { SyncNotice } from '../sync/notice.ts';
import { generationView, heldView, sourceErrorView, stuckView, timeOf, timeOrNull } from './daemon-views.ts';
import { pastReleaseMember, releaseStepView } from './release.ts';

export type CacheTrouble = 'cache-unwritable' | 'cache-full' | 'corrupt';

/** Turns what happens in a daemon into events for the listeners of the socket. */
export class DaemonEvents {
  readonly feed = new EventFeed({ now: Date.now, epoch: Date.now().toString(36) });
  #toldStandby = 'false undefined';
  /** Called after each publication. */
  onPublished: () => void = () => undefined;

  readonly notice = (notice: SyncNotice): void => {
    switch (notice.kind) {
      case 'published': {
        const { added, changed, removed, release } = notice.entry;
        const generation = generationView(notice.generation);
        const by = pastReleaseMember(release);
        this.feed.emit({ type: 'generation', generation, added, changed, removed, ...by });
        this.onPublished();
        break;
      }
      case 'armed': {
        const showAt = timeOf(notice.at);
        this.feed.emit({ type: 'armed', release: releaseStepView(notice.release), showAt });
        break;
      }
      case 'held':
        this.feed.emit({ type: 'held', held: heldView(notice.held) });
        break;
      case 'unreadable-objects':
        this.feed.emit({ type: 'unreadable-objects', files: notice.files, objects: [...notice.objects] });
        break;
      case 'source-error':
        this.feed.emit({ type: 'source-error', error: sourceErrorView(notice.error) });
        break;
      case 'source-slow':
        this.feed.emit({ type: 'source-slow', since: timeOf(notice.since) });
        break;
      case 'source-recovered': {
        const { failures, failingSince } = notice;
        this.feed.emit({ type: 'source-recovered', failures, failingSince: timeOrNull(failingSince) });
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
      type: 'source-standby',
      source,
      active: isActive,
      firstIsBehind: firstIsBehind ?? null,
    });
  };

  readonly cacheTrouble = (code: CacheTrouble, detail: string): void => {
    this.feed.emit({ type: 'cache-error', code, detail });
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
