import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceInTable } from '../../src/host/mountinfo.ts';
import type { MountRequest } from '../../src/session/connection.ts';
import type { Driver } from '../../src/session/driver.ts';
import { MountPresenter, type MountPresenterOptions } from '../../src/takeover/mount-presenter.ts';
import { temporaryDirectory } from '../support/temporary.ts';

test('a mount is requested with its source as the table of mounts shows it', async (t) => {
  const source = `s3://b/${'p'.repeat(300)}/`;
  const requests: MountRequest[] = [];
  const refusal = new Error('not mounted');
  const driver: Pick<Driver, 'connect'> = {
    connect: (request) => {
      requests.push(request);
      throw refusal;
    },
  };
  const options: Partial<MountPresenterOptions> = {
    driver: driver as Driver,
    target: '/dags',
    source,
    trees: [],
    over: new AbortController().signal,
    cacheDirectory: await temporaryDirectory(t),
    onKeptShown: () => assert.fail('nothing is mounted'),
  };
  const presenter = new MountPresenter(options as MountPresenterOptions);
  presenter.showKept();
  const shown = {} as Parameters<MountPresenter['showFirst']>[1];
  await assert.rejects(presenter.showFirst(0, shown), refusal);
  assert.deepEqual(
    requests.map((request) => request.source),
    [sourceInTable(source)],
  );
});
