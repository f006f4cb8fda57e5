import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { outlive } from '../support/outlive/outlive.ts';
import { repository } from '../support/repository.ts';
import { supervisorMissing } from '../support/supervised.ts';

const TIMES = 3;
const points = [
  ...['listed', 'settled', 'built', 'prefetched', 'persisted', 'committed'],
  ...['notifying', 'notified', 'published', 'retired'],
];

for (const takeover of ['resend', 'journal'] as const) {
  describe(`by ${takeover}: a server that ends under readers at the crash point`, {
    skip: mountImpossible || supervisorMissing,
    concurrency: 2,
  }, () => {
    for (const point of points) {
      test(`${point} leaves no name, attribute or byte of the wrong tree in the kernel`, async (t) => {
        const { mount, takeovers } = await outlive(t, {
          takeover,
          files: 300,
          large: 20,
          readers: 4,
          times: TIMES,
          apart: 0,
          endsByItself: true,
          cli: join(repository, 'dist/test/support/stop-point-daemon.js'),
          env: { TEST_STOP_AT: point, TEST_STOP_TIMES: String(TIMES) },
        });
        assert.equal(takeovers.length, TIMES);
        const owed = takeovers.filter((line) => Number(line.owed) > 0).length;
        if (['committed', 'notified'].includes(point)) assert.equal(owed, TIMES);
        // This point lies in the moment in which the server tells the kernel: on a busy host that moment may be over.
        if (point === 'notifying') assert.ok(owed > 0, `${owed} owed notifications`);
        assert.deepEqual(await mount.stop(), { code: 0, signal: null });
      });
    }
  });
}
