import type { StandbyView as Shown } from '../control/shapes/status.ts';
import type { StandbyView } from '../source/standby/standby-view.ts';

export function standbyView({ source, isActive, since, checked, firstIsBehind }: StandbyView): Shown {
  return {
    source,
    active: isActive,
    since: since === undefined ? null : new Date(since).toISOString(),
    checked:
      checked === undefined ? null : { at: new Date(checked.at).toISOString(), error: checked.error ?? null },
    firstIsBehind: firstIsBehind ?? null,
  };
}
