import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { mountStore } from '../e2e/fixture.ts';
import { type Mount, mountImpossible, statusOf } from '../support/mount.ts';
import { ownResidentBytes, residentBytes } from '../support/processes.ts';
import { StoreProxy } from '../support/proxy.ts';
import { shell, startReader } from '../support/reader.ts';
import { openRoot } from '../support/release-root.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const FILES = 3_000;
const VERSIONS = 20;
const CHANGED = 30;
const HANGING = 200;
const LONG_MS = 20 * 60_000;
/** The most disk that all versions may take, as a multiple of what one version takes. */
const MOST = 1.3;
/** Resident memory at rest that each version beside the first may take; its tree has 3,000 files. */
const MOST_KIB_EACH = 2048;

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

interface Releases {
  readonly root: Awaited<ReturnType<typeof openRoot>>;
  readonly files: Record<string, string>;
  /** In the order of their deploys. */
  readonly ids: readonly string[];
}

async function deployAll(test: Cleanup): Promise<Releases> {
  const root = await openRoot(test);
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
  return { root, files, ids };
}

describe(`${VERSIONS} versions that differ little`, { skip: mountImpossible, timeout: LONG_MS }, () => {
  let releases: Releases;
  const ends: (() => Promise<void> | void)[] = [];
  before(async () => {
    releases = await deployAll({ after: (end) => void ends.push(end) });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** A node that has seen none of the releases; each request takes 10 ms. */
  async function node(t: Cleanup): Promise<{ readonly mount: Mount; readonly proxy: StoreProxy }> {
    const { root } = releases;
    const proxy = await StoreProxy.start({ upstream: root.seaweedfs.endpoint, latency: 10 });
    defer(t, () => proxy.close());
    const store = { endpoint: proxy.endpoint, bucket: root.bucket, env: root.seaweedfs.readerEnvironment };
    const args = ['--ref', 'production', '--versions', '--state-dir', await temporaryDirectory(t)];
    return { mount: await mountStore(t, store, { source: root.address, args }), proxy };
  }

  test('take little more memory and disk than one, and few requests', async (t) => {
    const { ids } = releases;
    const { mount, proxy } = await node(t);
    let requests = 0;
    proxy.fault = (request) => {
      requests += request.url.includes('/packs/') ? 1 : 0;
      return undefined;
    };
    const pid = await mount.serverPid();
    const resident = (): number => ownResidentBytes(pid) / 1024;
    const whole = (): number => residentBytes(pid) / 1024;
    const onDisk = (): number =>
      Number(execFileSync('du', ['-sk', mount.cacheDirectory], { encoding: 'utf8' }).split('\t')[0]);

    // The server collects the garbage of a burst when it has been at rest for some 10 s, in two steps.
    const atRest = async (): Promise<number> => {
      let least = resident();
      for (let second = 0; second < 30; second++) {
        await delay(1_000);
        least = Math.min(least, resident());
      }
      return least;
    };
    // Reads as often as there are versions, so that both figures contain the garbage of the same reads.
    await shell(mount.target, readAll('current', VERSIONS));
    const one = { resident: await atRest(), whole: whole(), onDisk: onDisk() };
    requests = 0;
    await shell(mount.target, readAll(`versions/${ids[0]}`, 1));
    const ofFirst = requests;
    let most = 0;
    for (const id of ids) {
      await shell(mount.target, readAll(`versions/${id}`, 1));
      most = Math.max(most, resident());
    }
    const all = { resident: await atRest(), whole: whole(), onDisk: onDisk() };
    assert.equal((await statusOf(mount)).versions?.shown, VERSIONS);
    t.diagnostic(
      `KiB of one ${JSON.stringify(one)}, of ${VERSIONS} ${JSON.stringify(all)}, resident at most ${most}; ` +
        `${ofFirst} requests for the content of the first, ${requests} of all`,
    );
    assert.ok(ofFirst <= 40, `${ofFirst} requests`);
    assert.ok(all.onDisk <= MOST * one.onDisk, `${all.onDisk} KiB on disk, of one ${one.onDisk}`);
    const each = (all.resident - one.resident) / (VERSIONS - 1);
    assert.ok(each <= MOST_KIB_EACH, `${each} KiB resident for each further version`);
  });

  test('are looked up once however many processes wait', async (t) => {
    const [first = ''] = releases.ids;
    const { mount, proxy } = await node(t);
    const asked: string[] = [];
    proxy.fault = ({ url }) => {
      if (url.includes(first)) asked.push(url);
      return undefined;
    };
    const began = performance.now();
    const look = `python3 -c 'import os; print(len(os.listdir("versions/${first}")))'`;
    const seen = await Promise.all(Array.from({ length: 8 }, () => shell(mount.target, look)));
    const found = performance.now() - began;
    assert.deepEqual(seen, Array(8).fill(`${FILES / 100}\n`));
    assert.equal(asked.length, 2, asked.join(' '));
    await shell(mount.target, readAll(`versions/${first}`, 1));
    t.diagnostic(
      `8 processes have listed release 1 of ${VERSIONS} after ${(found / 1000).toFixed(2)} s, ` +
        `${((performance.now() - began) / 1000).toFixed(2)} s until all of it was read`,
    );
  });

  test('are read, and releases are published, while look-ups hang, which leave nothing', async (t) => {
    const { root, files, ids } = releases;
    const { mount, proxy } = await node(t);
    const [first = '', second = ''] = ids;
    await shell(mount.target, `ls versions/${first}`);
    proxy.fault = ({ url }) => (url.includes('sha256-ffff') ? { hang: true } : undefined);
    const never = (at: number): string => `versions/sha256-ffff${at.toString(16).padStart(60, '0')}`;
    const began = performance.now();
    const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(2);
    const hanging = Array.from({ length: HANGING }, (_, at) =>
      startReader('stat', [join(mount.target, never(at))], { deadlineMs: LONG_MS }),
    );
    const waiting = async (): Promise<number> => (await statusOf(mount)).versions?.waiting ?? 0;
    await waitFor('look-ups to hang', async () => (await waiting()) >= 4);
    await root.deploy({ ...files, 'team_0/dag_0.py': 'now' });
    const deployed = performance.now();
    const isShown = async (): Promise<boolean> =>
      (await shell(mount.target, 'cat current/team_0/dag_0.py')) === 'now';
    await waitFor('the release', isShown);
    const published = seconds(deployed);
    const read = performance.now();
    await shell(mount.target, readAll(`versions/${first}`, 1));
    t.diagnostic(
      `while ${HANGING} look-ups hang: published ${published} s after the deploy; all of a version that was shown ` +
        `read in ${seconds(read)} s`,
    );
    const results = await Promise.all(hanging.map((reader) => reader.done));
    assert.ok(results.every(({ code, stderr }) => code === 1 && /Input\/output error/.test(stderr)));
    t.diagnostic(`the last of them has ended after ${seconds(began)} s`);
    assert.equal(await waiting(), 0);
    assert.equal((await statusOf(mount)).versions?.shown, 1);
    const next = performance.now();
    await shell(mount.target, `ls versions/${second}`);
    t.diagnostic(`a look-up right after that: ${seconds(next)} s`);
  });
});
