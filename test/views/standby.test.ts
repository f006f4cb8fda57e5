import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventLine } from '../../src/cli/client/event-line.ts';
import { paintsFor } from '../../src/cli/paint.ts';
import { eventShape } from '../../src/control/shapes/events.ts';
import { standbyShape } from '../../src/control/shapes/status.ts';
import { DaemonEvents } from '../../src/views/events.ts';
import { standbyView } from '../../src/views/standby.ts';

const WELL = {
  source: 's3://west/dags/',
  isActive: false,
  since: undefined,
  checked: undefined,
  firstIsBehind: undefined,
};
const AT = Date.UTC(2026, 10, 29);

describe('a standby source', () => {
  test('is shown in status by the shape that is declared', () => {
    assert.deepEqual(standbyShape.parse(standbyView(WELL)), {
      source: 's3://west/dags/',
      active: false,
      since: null,
      checked: null,
      firstIsBehind: null,
    });
    const away = {
      ...WELL,
      isActive: true,
      since: AT,
      checked: { at: AT, error: 'no' },
      firstIsBehind: 'a.py',
    };
    assert.deepEqual(standbyShape.parse(standbyView(away)), {
      source: 's3://west/dags/',
      active: true,
      since: '2026-11-29T00:00:00.000Z',
      checked: { at: '2026-11-29T00:00:00.000Z', error: 'no' },
      firstIsBehind: 'a.py',
    });
  });

  test('is told of when it is taken, kept and left, and not when it is only checked', async () => {
    const events = new DaemonEvents();
    const told: string[] = [];
    events.standby({ ...WELL, checked: { at: AT, error: undefined } });
    events.standby({ ...WELL, isActive: true, since: AT });
    events.standby({ ...WELL, isActive: true, since: AT, checked: { at: AT, error: 'no' } });
    events.standby({ ...WELL, isActive: true, since: AT, firstIsBehind: 'it lacks fix.py' });
    events.standby(WELL);
    events.feed.close();
    for await (const text of events.feed.listen('other-0', new AbortController().signal)) {
      const [, data] = /^data: (.*)$/m.exec(text) ?? [];
      if (data === undefined) continue;
      const event = eventShape.parse(JSON.parse(data));
      told.push(
        eventLine(event, paintsFor({ colours: false }))
          ?.split('source-standby')[1]
          ?.trim() ?? '',
      );
    }
    assert.deepEqual(told, [
      'the tree is read from s3://west/dags/',
      's3://west/dags/ stays in use: it lacks fix.py',
      'the tree is read from the first source',
    ]);
  });
});
