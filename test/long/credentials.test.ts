import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Issuer, type Way, ways } from '../store/credential-ways.ts';
import { ask, statusOf } from '../support/control.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { dagmount, type Mount, mountImpossible, startMount } from '../support/mount.ts';
import { startPython, startReader } from '../support/reader.ts';
import { seeChanges } from '../support/seen-changes.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

/** For how long this replaces the credentials, under changes and reads. */
const SECONDS = Number(process.env.DAGMOUNT_TEST_SECONDS ?? 65);
/** For how long the store refuses all credentials. */
const REFUSED_SECONDS = Number(process.env.DAGMOUNT_TEST_REFUSED_SECONDS ?? 20);
const ROTATED_EVERY_MS = 20_000;
const FILES = 40;
const MEBIBYTE = 1024 ** 2;
const LARGE = `print("${'l'.repeat(9 * MEBIBYTE)}")`;

/** A store that takes only the credentials of the newest rotation, and refuses even those of the one before. */
class GuardedStore {
  refused = 0;
  isRefusingAll = false;
  readonly #store: MemoryS3;

  private constructor(store: MemoryS3) {
    this.#store = store;
  }

  static async start(t: TestContext, issuer: Issuer): Promise<GuardedStore> {
    const store: MemoryS3 = await MemoryS3.start({
      recorded: false,
      // A listing has several pages, so that a rotation may fall between two of them.
      pageKeys: 15,
      fault: ({ authorization }) => {
        if (!guarded.isRefusingAll && authorization.includes(`Credential=${issuer.key}/`)) return undefined;
        guarded.refused += 1;
        return { status: 400, code: 'ExpiredToken' };
      },
    });
    const guarded = new GuardedStore(store);
    defer(t, () => store.close());
    for (let file = 0; file < FILES; file++) store.put(`dags/small/f${file}.py`, `print(${file})`);
    for (let file = 0; file < 3; file++) store.put(`dags/large/l${file}.py`, LARGE);
    return guarded;
  }

  get endpoint(): string {
    return this.#store.endpoint;
  }

  put(path: string, body: string): void {
    this.#store.put(`dags/${path}`, body);
  }
}

function scan(t: TestContext, path: string, ...how: readonly string[]) {
  const reader = startPython('rescan.py', [path, ...how], { stdin: 'pipe', deadlineMs: 7_200_000 });
  defer(t, () => reader.kill());
  return async (): Promise<number> => {
    reader.end();
    const { stdout, stderr } = await reader.done;
    const { walks, problems } = JSON.parse(stdout) as { walks: number; problems: readonly string[] };
    assert.deepEqual(problems, [], stderr);
    return walks;
  };
}

/** The files below a directory that contain one of some texts; this leaves the mount out. */
async function filesWith(directory: string, texts: readonly string[]): Promise<readonly string[]> {
  const patterns = texts.flatMap((text) => ['-e', text]);
  const args = ['-rlaF', '--devices=skip', '--exclude-dir=dags', ...patterns, directory];
  const { code, stdout, stderr } = await startReader('grep', args).done;
  assert.ok(code === 0 || code === 1, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

async function assertNoSecrets(mount: Mount, issuer: Issuer, way: Way): Promise<void> {
  const directory = dirname(mount.cacheDirectory);
  assert.ok((await filesWith(directory, ['print(7)'])).length > 0, 'the cache is what is searched');
  assert.deepEqual(await filesWith(directory, issuer.secrets), []);
  const pids = [mount.pid, await mount.serverPid()];
  const said: Readonly<Record<string, string>> = {
    log: mount.stderr() + mount.stdout(),
    status: await ask(mount, '/v1/status'),
    metrics: await ask(mount, '/metrics'),
    problems: await ask(mount, '/v1/problems'),
    config: await ask(mount, '/v1/config'),
    'the list of mounts': (await dagmount(['list', '--json'], mount.environment)).stdout,
    'the command lines': pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1')).join('\n'),
  };
  for (const [what, text] of Object.entries(said)) {
    assert.ok(text.length > 0, what);
    for (const secret of issuer.secrets) assert.ok(!text.includes(secret), `${what} has a secret`);
  }
  assert.ok(said.status?.includes(`"origin":"${way.origin}"`), said.status);
}

describe('credentials that are replaced every 20 s, and those before refused at once', {
  skip: mountImpossible,
  concurrency: 3,
}, () => {
  for (const [what, way] of Object.entries(ways)) {
    test(`fail no change and no read; while all are refused, what is local is read: ${what}`, async (t) => {
      const issuer = new Issuer();
      const { env, rotated } = await way.prepare(t, issuer);
      const store = await GuardedStore.start(t, issuer);
      const mount = await startMount(t, {
        source: 's3://bucket/dags',
        env,
        args: [
          ...[
            '--endpoint-url',
            store.endpoint,
            '--poll-interval',
            '1s',
            '--settle',
            '0',
            '--log-level',
            'debug',
          ],
          // The cache keeps no large file: each read of one asks the store.
          ...['--prefetch', '1MiB', '--cache-size', '16MiB'],
          ...(way.profile === undefined ? [] : ['--profile', way.profile]),
        ],
      });
      const rotate = (): void => {
        issuer.rotation += 1;
        rotated();
      };
      rotate();
      const rotating = setInterval(rotate, ROTATED_EVERY_MS);
      defer(t, () => clearInterval(rotating));

      const seen = seeChanges(t, mount, 'small/f1.py');
      const ends = [scan(t, `${mount.target}/small`, '0.05'), scan(t, `${mount.target}/small`, '0.05')];
      const endLarge = scan(t, `${mount.target}/large`, '1', 'dropped');
      const until = Date.now() + SECONDS * 1_000;
      let change = 0;
      for (; Date.now() < until; change++) {
        store.put('small/f1.py', `print("change ${change}")`);
        await seen.of(`print("change ${change}")`);
        await delay(200);
      }
      const large = await endLarge();
      const failures = ['revalidation-failed', 'reads-failed'];
      assert.deepEqual(
        mount.log().filter(({ event }) => failures.includes(event)),
        [],
      );
      assert.ok(issuer.rotation >= Math.floor(SECONDS / 20), `${issuer.rotation} rotations`);
      const { refused } = store;
      assert.ok(refused > 0, 'credentials were refused');

      store.isRefusingAll = true;
      store.put('small/f1.py', 'print("while refused")');
      await waitFor('the refusal', async () => (await statusOf(mount)).source.lastError?.code === 'expired');
      await delay(REFUSED_SECONDS * 1_000);
      const { source, generation } = await statusOf(mount);
      assert.equal(source.lastError?.code, 'expired');
      assert.ok(source.consecutiveFailures > 1);
      assert.equal(source.credentials?.origin, way.origin);
      assert.equal(source.credentials?.expiresAt !== null, way.expires);
      assert.equal(generation?.files, FILES + 3);
      store.isRefusingAll = false;
      await seen.of('print("while refused")');
      let walks = 0;
      for (const end of ends) walks += await end();
      await assertNoSecrets(mount, issuer, way);
      t.diagnostic(
        `${issuer.rotation} rotations, ${change} changes seen, ${walks} walks of ${FILES} files, ${large} of 3 large ones, ${refused} requests refused`,
      );
    });
  }
});
