import type { DaemonEvent, EventType } from '../../control/shapes/events.ts';
import { formatCount, formatDuration, plural } from '../format.ts';
import type { Paints } from '../paint.ts';
import { heldLine, releaseLine } from './release-text.ts';
import { stuckText } from './stuck-text.ts';

const COLOURS: Readonly<Record<EventType, keyof Paints>> = {
  generation: 'bold',
  armed: 'yellow',
  held: 'red',
  'unreadable-objects': 'red',
  'source-error': 'red',
  'source-slow': 'yellow',
  'source-recovered': 'green',
  'source-standby': 'yellow',
  'cache-error': 'red',
  'publication-stuck': 'red',
  'publication-freed': 'green',
  restart: 'yellow',
};
const TYPE_WIDTH = 'unreadable-objects'.length;

/**
 * Formats an event for people, with its absolute time, because such a line may be read much later. Returns
 * undefined if this command does not know the event's type.
 */
export function eventLine(event: DaemonEvent, paints: Paints): string | undefined {
  const { at, type } = event;
  const text = textOf(event);
  if (text === undefined) return undefined;
  const of = 'tree' in event && event.tree !== undefined ? `${event.tree}: ` : '';
  return `${at}  ${paints[COLOURS[type]](type.padEnd(TYPE_WIDTH))}  ${of}${text}\n`;
}

function textOf(event: DaemonEvent): string | undefined {
  switch (event.type) {
    case 'generation': {
      const { generation, added, changed, removed, release } = event;
      const by = release === undefined ? '' : `, ${releaseLine(release)}`;
      return `${generation.number} ${generation.id}: +${formatCount(added)} ~${formatCount(changed)} -${formatCount(removed)}, ${plural(generation.files, 'file')}${by}`;
    }
    case 'armed':
      return `${releaseLine(event.release)}: shown at ${event.showAt}`;
    case 'held': {
      return heldLine(event.held);
    }
    case 'unreadable-objects': {
      const { files, objects } = event;
      if (files === 0) return 'all files can be read again';
      const names = objects.map(({ path, detail }) => `${path} (${detail})`).join(', ');
      return `${plural(files, 'file')} cannot be had: ${names}${files > objects.length ? ', …' : ''}`;
    }
    case 'source-error':
      return `${event.error.code}: ${event.error.message}`;
    case 'source-slow':
      return `a listing is under way since ${event.since}: no change is shown before it has ended`;
    case 'source-recovered': {
      const { failures, failingSince, at } = event;
      const span =
        failingSince === null
          ? ''
          : ` within ${formatDuration(Math.max(0, Date.parse(at) - Date.parse(failingSince)))}`;
      return `after ${plural(failures, 'failure')}${span}`;
    }
    case 'source-standby':
      if (event.firstIsBehind !== null) return `${event.source} stays in use: ${event.firstIsBehind}`;
      return event.active
        ? `the tree is read from ${event.source}`
        : 'the tree is read from the first source';
    case 'cache-error':
      return `${event.code}: ${event.detail}`;
    case 'publication-stuck':
      return stuckText(event.stuck);
    case 'publication-freed':
      return 'the kernel takes publications again';
    case 'restart':
      return `${plural(event.restarts, 'restart')}: ${event.reason}`;
    default:
      event satisfies never;
      return undefined;
  }
}
