import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { memoryGroupsMissing, starve } from '../support/memory-group.ts';
import { mountImpossible } from '../support/mount.ts';
import { type OutliveOptions, outlive } from '../support/outlive/outlive.ts';
import { startPython } from '../support/reader.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { serverOf, supervisorMissing } from '../support/supervised.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const TIMES = Number(process.env.DAGMOUNT_TEST_KILLS ?? 10);
const MiB = 2 ** 20;
const needsRoot = process.getuid?.() === 0 ? false : 'mounting a small file system takes root';

const usual = { files: 1_000, large: 60, readers: 8, times: TIMES, apart: 1_500 };

for (const takeover of ['resend', 'journal'] as const) {
  describe(`by ${takeover}: readers get their bytes, and no old ones`, {
    skip: mountImpossible || supervisorMissing,
  }, () => {
    const cases: readonly (readonly [string, Partial<OutliveOptions>, (string | false)?])[] = [
      [
        'when the server is stopped for longer than the watchdog waits',
        {
          env: { DAGMOUNT_WATCHDOG_MS: '3000' },
          fault: (server) => void process.kill(server, 'SIGSTOP'),
          times: Math.ceil(TIMES / 2),
        },
      ],
      ...(['main', 'others'] as const).map(
        (which) =>
          [
            `when ${which === 'main' ? "the server's main thread stands" : 'all threads of the server but the main one stand'} still`,
            {
              env: { DAGMOUNT_WATCHDOG_MS: '3000' },
              fault: (server: number) =>
                void startPython('freeze.py', [String(server), which], { stdin: 'pipe' }),
              times: Math.ceil(TIMES / 2),
            },
          ] as const,
      ),
      ['when the server gets a SIGSEGV', { fault: (server) => void process.kill(server, 'SIGSEGV') }],
      [
        'when the kernel ends the server for want of memory',
        {
          fault: async (server, { mount }) => {
            const tidy = starve(server);
            await waitFor('its end', () => serverOf(mount.pid) !== server, 60_000);
            await tidy();
          },
        },
        memoryGroupsMissing,
      ],
      [
        'when the server cannot allocate memory',
        {
          fault: (server) => void execFileSync('prlimit', ['--as=1048576:1048576', '--pid', String(server)]),
        },
      ],
      [
        'when the server is killed while the store is down',
        {
          large: 0,
          besides: async ({ proxy }) => {
            await proxy.goDown();
            return () => proxy.comeUp();
          },
        },
      ],
    ];
    for (const [when, options, skip] of cases) {
      test(when, { skip: skip ?? false }, async (t) => {
        const { mount, takeovers } = await outlive(t, { ...usual, takeover, ...options });
        if (options.env?.DAGMOUNT_WATCHDOG_MS !== undefined) {
          const stuck = mount.log().filter(({ event }) => event === 'stuck');
          const silent = takeovers.filter(({ cause }) => cause === 'silent');
          assert.ok(silent.length >= Math.ceil(TIMES / 2), `${silent.length} gave no sign of life`);
          assert.equal(stuck.length, silent.length, 'where the threads of each of them were is said');
          // In a server that was a standby, the name of the main thread has the words of the command.
          assert.ok(stuck.every(({ threads }) => /(^|; )\d+ [^;:]* [Tt]: /.test(String(threads))));
          t.diagnostic(`threads: ${stuck[0]?.threads}`);
        }
        assert.deepEqual(await mount.stop(), { code: 0, signal: null });
      });
    }

    test("when the server is killed while the cache's disk is full", { skip: needsRoot }, async (t) => {
      const disk = await SmallDisk.mount(t, 64 * MiB);
      defer(t, () => disk.free());
      const { mount } = await outlive(t, {
        ...usual,
        takeover,
        onlyAdds: true,
        cacheDirectory: `${disk.directory}/cache`,
        besides: async () => {
          disk.fill();
          return () => disk.free();
        },
      });
      assert.deepEqual(await mount.stop(), { code: 0, signal: null });
    });
  });
}
