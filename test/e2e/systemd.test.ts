import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { shell, startPython } from '../support/reader.ts';
import { Service, underSystemd } from '../support/stand-in-systemd.ts';
import { serverOf, supervisor, supervisorMissing } from '../support/supervised.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { manyFiles, mountStore, openStore } from './fixture.ts';

describe('a mount that is a service of systemd', { skip: mountImpossible || supervisorMissing }, () => {
  test('outlives a restart of the service and the death of all its processes, and readers notice nothing', async (t) => {
    const store = await openStore(t, manyFiles(150, 2_000));
    const socket = join(await temporaryDirectory(t), 'notify');
    const mount = await mountStore(t, store, { wrapper: underSystemd(socket) });
    const service = new Service(mount);
    const device = mountsAt(mount.target)[0]?.minor;
    const readers = Array.from({ length: 3 }, () =>
      startPython('scan.py', [mount.target, '150'], { stdin: 'pipe' }),
    );
    await service.killAll();
    await service.restart();
    await service.killAll();
    await store.put('dags/team_0001/late.py', 'late');
    await waitFor(
      'what is new',
      async () => (await shell(mount.target, 'cat team_0001/late.py 2>/dev/null || true')) === 'late',
    );
    for (const reader of readers) {
      reader.end();
      const { code, stderr } = await reader.done;
      assert.deepEqual([code, stderr], [0, '']);
    }
    assert.deepEqual(
      mountsAt(mount.target).map(({ minor }) => minor),
      [device],
      'it is the same mount',
    );
    const kept = ['control', 'fuse', 'journal', 'lock'];
    assert.deepEqual(
      service.starts().map(({ names }) => [...names].sort()),
      [[], kept, kept, kept],
    );
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    assert.deepEqual(mountsAt(mount.target), []);
    const end = service.events().at(-1);
    assert.deepEqual(end?.event === 'ended' && end.names, []);
  });
});
