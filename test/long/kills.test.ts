import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountImpossible } from '../support/mount.ts';
import { outlive } from '../support/outlive/outlive.ts';
import { supervisorMissing } from '../support/supervised.ts';

const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 100);
const READERS = Number(process.env.DAGMOUNT_TEST_READERS ?? 16);
const FILES = Number(process.env.DAGMOUNT_TEST_FILES ?? 10_000);

for (const takeover of ['resend', 'journal'] as const) {
  test(`by ${takeover}: a server that is killed ${KILLS} times under ${READERS} readers of ${FILES} files gives no error, hangs nobody, and shows nothing of an old tree`, {
    skip: mountImpossible || supervisorMissing,
  }, async (t) => {
    const { mount, takeovers } = await outlive(t, {
      takeover,
      files: FILES,
      large: 60,
      readers: READERS,
      times: KILLS,
      apart: 2_000,
      whilePublishing: (time) => time % 5 === 4,
      atOnce: (time) => time % 7 === 6 && time < KILLS - 1,
    });
    const found = (field: string): number => takeovers.filter((line) => Number(line[field]) > 0).length;
    assert.ok(
      found('unanswered') >= KILLS / 2,
      `${found('unanswered')} found a request that was not answered`,
    );
    assert.ok(found('owed') > 0, 'some were killed while the kernel was being told of a publication');
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });
}
