import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mountStore } from '../e2e/fixture.ts';
import { mountImpossible, statusOf } from '../support/mount.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell } from '../support/reader.ts';
import { openRoot } from '../support/release-root.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const FILES = 3_000;
const VERSIONS = 20;
const CHANGED = 30;
const LONG_MS = 20 * 60_000;
/** Of what one version takes. */
const MOST = 1.3;

/** Reads each file past the kernel's page cache, so that each reading asks the session. */
const readAll = (directory: string, times: number): string => `python3 -c '
import mmap, os
buffer = mmap.mmap(-1, 65536)
for _ in range(${times}):
    for top, _, names in os.walk("${directory}"):
        for name in names:
            file = os.open(os.path.join(top, name), os.O_RDONLY | os.O_DIRECT)
            assert os.readv(file, [buffer]) > 0, name
            os.close(file)
'`;

describe('20 versions that differ little', { skip: mountImpossible, timeout: LONG_MS }, () => {
  test('take little more memory and disk than one, and few requests', async (t) => {
    const root = await openRoot(t);
    const files: Record<string, string> = {};
    const pathOf = (at: number): string => `team_${Math.floor(at / 100)}/dag_${at}.py`;
    for (let at = 0; at < FILES; at++) files[pathOf(at)] = `# ${at}\n`.repeat(50);
    for (let version = 0; version < VERSIONS; version++) {
      for (let change = 0; change < CHANGED; change++)
        files[pathOf(100 * change + version)] = `# ${change} in ${version}\n`.repeat(50);
      await root.deploy(files);
    }
    const steps = JSON.parse(await root.command('releases', 'production', '--json')) as readonly {
      readonly release: string;
    }[];
    const ids = steps.map(({ release }) => release).reverse();
    assert.equal(ids.length, VERSIONS);
    const proxy = await StoreProxy.start({ upstream: root.seaweedfs.endpoint, latency: 10 });
    t.after(() => proxy.close());
    let requests = 0;
    proxy.fault = (request) => {
      requests += request.url.includes('/packs/') ? 1 : 0;
      return undefined;
    };
    const store = { endpoint: proxy.endpoint, bucket: root.bucket, env: root.seaweedfs.readerEnvironment };
    const stateDirectory = await temporaryDirectory(t);
    const args = ['--ref', 'production', '--versions', '--state-dir', stateDirectory];
    const mount = await mountStore(t, store, { source: root.address, args });
    const pid = await mount.serverPid();
    const resident = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    const onDisk = (): number =>
      Number(execFileSync('du', ['-sk', mount.cacheDirectory], { encoding: 'utf8' }).split('\t')[0]);

    // As many readings as there are versions: the garbage of reading is in both figures.
    await shell(mount.target, readAll('current', VERSIONS));
    const one = { resident: resident(), onDisk: onDisk() };
    requests = 0;
    await shell(mount.target, readAll(`versions/${ids[0]}`, 1));
    const ofFirst = requests;
    let most = 0;
    for (const id of ids) {
      await shell(mount.target, readAll(`versions/${id}`, 1));
      most = Math.max(most, resident());
    }
    const all = { resident: resident(), onDisk: onDisk() };
    assert.equal((await statusOf(mount)).versions?.shown, VERSIONS);
    t.diagnostic(
      `KiB of one ${JSON.stringify(one)}, of ${VERSIONS} ${JSON.stringify(all)}, resident at most ${most}; ` +
        `${ofFirst} requests for the content of the first, ${requests} of all`,
    );
    assert.ok(ofFirst <= 40, `${ofFirst} requests`);
    assert.ok(all.onDisk <= MOST * one.onDisk, `${all.onDisk} KiB on disk, of one ${one.onDisk}`);
    assert.ok(all.resident <= MOST * one.resident, `${all.resident} KiB resident, of one ${one.resident}`);
  });
});
