import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod/mini';
import {
  blobsShape,
  cacheShape,
  pathResultsShape,
  pathsRequestShape,
  prefetchRequestShape,
  verifiedShape,
} from '../../src/control/shapes/cache.ts';
import { logLevelRequestShape, logLevelShape } from '../../src/control/shapes/daemon.ts';
import { entriesShape } from '../../src/control/shapes/entries.ts';
import { ID, OTHER_ID, release } from '../control/fixture.ts';
import { type Answering, Refusal } from './fake-daemon.ts';
import { AT, asked, entryAt, entryItem } from './inspected-entries.ts';

describe('ls', () => {
  test('shows sizes, dates and what is cached, of all pages', async (t) => {
    const pages = [
      z.parse(entriesShape, { items: [entryItem('a.py')], next: 'more' }),
      z.parse(entriesShape, {
        items: [
          entryItem('big.bin', { size: 3 * 2 ** 30, executable: true, cached: false }),
          entryItem('pkg', { kind: 'directory', size: 0, etag: null, cached: null }),
          entryItem('pkg/\u001b[31m.py'),
        ],
        next: null,
      }),
    ];
    const entries: Answering = ({ url }) => pages[url.includes('after=more') ? 1 : 0];
    const { exitCode, out } = await asked(t, { 'GET /v1/entries': entries }, 'ls');
    assert.equal(exitCode, 0);
    assert.equal(
      out,
      [
        '   SIZE  MODIFIED                  CACHED  PATH',
        `1.5 KiB  ${AT}  yes     a.py`,
        `3.0 GiB  ${AT}  no      big.bin*`,
        `         ${AT}          pkg/`,
        `1.5 KiB  ${AT}  yes     pkg/\\x1b[31m.py`,
        '',
      ].join('\n'),
    );
    const whole = await asked(t, { 'GET /v1/entries': entries }, 'ls', '--json');
    assert.equal((JSON.parse(whole.out) as z.infer<typeof entriesShape>).items.length, 4);
  });

  test('says first which step of an environment put that tree in force', async (t) => {
    const { seq, id, author, message } = release;
    const by = { seq, id, author, message };
    const page = z.parse(entriesShape, { items: [entryItem('a.py')], next: null, release: by });
    const entries = { 'GET /v1/entries': () => page };
    const { out } = await asked(t, entries, 'ls');
    assert.equal(
      out.split('\n')[0],
      'step 42 (sha256-a1a1a1a1a1a1) by Zoe <zoe@example.com>: Load the orders',
    );
    assert.deepEqual(JSON.parse((await asked(t, entries, 'ls', '--json')).out).release, by);
  });

  test('lists a directory, a file, or says that neither is there', async (t) => {
    const tree = ['team', 'team/a.py', 'team.py'];
    const entries: Answering = ({ url }) => {
      const prefix = new URL(url, 'http://d').searchParams.get('prefix') ?? '';
      return {
        items: tree.filter((path) => path.startsWith(prefix)).map((path) => entryItem(path)),
        next: null,
      };
    };
    const listed = async (...args: string[]) => {
      const { exitCode, out } = await asked(t, { 'GET /v1/entries': entries }, 'ls', '--json', ...args);
      if (exitCode !== 0) return exitCode;
      return (JSON.parse(out) as { items: { path: string }[] }).items.map(({ path }) => path);
    };
    assert.deepEqual(await listed('team'), ['team/a.py']);
    assert.deepEqual(await listed('team/'), ['team/a.py']);
    assert.deepEqual(await listed('/opt/dags/team'), ['team/a.py']);
    assert.deepEqual(await listed('s3://b/p/team.py'), ['team.py']);
    assert.deepEqual(await listed('./team.py'), ['team.py']);
    assert.deepEqual(await listed('/opt/dags'), tree);
    assert.equal(await listed('tea'), 66);
  });
});

describe('why', () => {
  test('names the key, the version, since when it is visible, and whether it is cached', async (t) => {
    const entry = entryAt('team/etl.py', { versionId: 'v1' });
    const answers = { 'GET /v1/entries/team%2Fetl.py': () => entry };
    const { exitCode, out } = await asked(t, answers, 'why', 'team/etl.py');
    assert.equal(exitCode, 0);
    assert.match(out, /^key +p\/team\/etl\.py$/m);
    assert.match(out, /^size +1\.5 KiB \(1,536 bytes\)$/m);
    assert.match(out, /^etag +abc$/m);
    assert.match(out, /^version id +v1$/m);
    assert.match(out, new RegExp(`^visible since +${AT}, 1 min ago, with generation 2 ${ID}$`, 'm'));
    assert.match(out, /^cached +yes, sha256 a{64}$/m);
    assert.match(out, /^node ids +7; the kernel still holds 2 replaced versions: 5, 6$/m);
    const json = await asked(t, answers, 'why', 'team/etl.py', '--json');
    assert.deepEqual(JSON.parse(json.out), entry);
    assert.equal((await asked(t, answers, 'why', '/opt/dags/team/etl.py')).exitCode, 0);
  });

  test('names no key of what has none: an empty file of a release, or its directory', async (t) => {
    const entry = entryAt('pkg/__init__.py', { key: null, size: 0 });
    const { exitCode, out } = await asked(t, { 'GET /v1/entries/a': () => entry }, 'why', 'a');
    assert.equal(exitCode, 0);
    assert.doesNotMatch(out, /^key|null|undefined/m);
  });

  test('says of content that is not all there how much is', async (t) => {
    const big = { size: 2 ** 24, cached: false, checksum: null };
    for (const [cachedBytes, told] of [
      [0, 'no: it is fetched when it is read'],
      [2 ** 23, 'in part: 8.0 MiB of 16.0 MiB'],
    ] as const) {
      const entry = entryAt('a', { ...big, cachedBytes });
      const { out } = await asked(t, { 'GET /v1/entries/a': () => entry }, 'why', 'a');
      assert.match(out, new RegExp(`^cached +${told}$`, 'm'));
    }
  });

  test('prints why a path is not there, and exits with 66', async (t) => {
    for (const code of ['never-seen', 'excluded', 'left-out', 'held']) {
      const refuse = () => {
        throw new Refusal(404, code, 'The rule is *.tmp.');
      };
      const { exitCode, out, err } = await asked(t, { 'GET /v1/entries/a.tmp': refuse }, 'why', 'a.tmp');
      assert.deepEqual([exitCode, err], [66, '']);
      assert.equal(out, `Not in the tree (${code}): a.tmp\nThe rule is *.tmp.\n`);
      const json = await asked(t, { 'GET /v1/entries/a.tmp': refuse }, 'why', 'a.tmp', '--json');
      assert.deepEqual([json.exitCode, (JSON.parse(json.out) as { code: string }).code], [66, code]);
    }
  });

  test('takes a whole key where nothing has that path', async (t) => {
    const answers: Record<string, Answering> = {
      'GET /v1/entries/p%2F%2F0.py': () => {
        throw new Refusal(404, 'never-seen', 'No listing had it.');
      },
      'GET /v1/entries/%2F0.py': () => {
        throw new Refusal(404, 'left-out', 'An empty component.');
      },
    };
    const { exitCode, out } = await asked(t, answers, 'why', 'p//0.py');
    assert.equal(exitCode, 66);
    assert.match(out, /left-out.*p\/\/0\.py\nAn empty component/);
  });

  test('fails otherwise as every command does', async (t) => {
    assert.equal((await asked(t, {}, 'why')).exitCode, 64);
    assert.equal((await asked(t, {}, 'why', 'a', 'b')).exitCode, 64);
    assert.equal((await asked(t, {}, 'why', '/opt/dags/')).exitCode, 64);
    const broken = await asked(t, {}, 'why', 'a');
    assert.equal(broken.exitCode, 66);
    assert.match(broken.err, /There is nothing at/);
  });
});

describe('cache', () => {
  const totals = z.parse(cacheShape, {
    directory: '/var/cache/dagmount/v1/x',
    entries: 3,
    bytes: 2 ** 20,
    limitBytes: 2 ** 22,
    hits: 3,
    misses: 1,
    evictions: 0,
    corrupt: 0,
    pinned: 1,
    pinnedBytes: 10,
    pinnedPaths: 1,
    passedThrough: 0,
    pendingFiles: 2,
    pendingBytes: 20,
    ranks: {
      hidden: { entries: 1, bytes: 1 },
      beside: { entries: 0, bytes: 0 },
      past: { entries: 0, bytes: 0 },
      kept: { entries: 2, bytes: 2 ** 20 - 1 },
    },
    degraded: ['cache-full'],
  });

  test('stats shows the totals', async (t) => {
    const { exitCode, out } = await asked(t, { 'GET /v1/cache': () => totals }, 'cache', 'stats');
    assert.equal(exitCode, 0);
    assert.match(out, /^content +3 blobs, 1\.0 MiB of 4\.0 MiB \(25\.0 %\)$/m);
    assert.match(out, /^degraded +cache-full$/m);
    assert.match(out, /^asked +3 hits, 1 misses \(75\.0 % hits\)$/m);
    assert.match(out, /^pending +2 files, 20 B to fetch$/m);
    const json = await asked(t, { 'GET /v1/cache': () => totals }, 'cache', '--json', 'stats');
    assert.deepEqual(JSON.parse(json.out), totals);
  });

  test('ls shows what is in it, the last used first', async (t) => {
    const blob = { key: ID, etag: 'e', rank: 'kept', pinned: true, verified: false };
    const blobs = z.parse(blobsShape, {
      items: [
        { ...blob, path: 'a.py', size: 10, chunk: null, bytes: 10 },
        { ...blob, path: 'big', size: 2 ** 24, chunk: 1, bytes: 2 ** 23 },
        { ...blob, path: null, etag: null, size: null, chunk: null, bytes: 5 },
      ],
      next: null,
    });
    const { out } = await asked(t, { 'GET /v1/cache/blobs': () => blobs }, 'cache', 'ls');
    assert.match(out, /^10 B +kept +yes +- +a\.py\n8\.0 MiB .* big \[part 1\]\n5 B .*\(0123456789abcdef/m);
  });

  test('evict, pin, unpin and prefetch say what was done by path, and exit as the first that failed', async (t) => {
    const results = z.parse(pathResultsShape, {
      items: [
        { path: 'a', outcome: 'done', files: 2, bytes: 2048, code: null, detail: null },
        { path: 'b', outcome: 'unchanged', files: 0, bytes: 0, code: null, detail: null },
        { path: '', outcome: 'failed', files: 0, bytes: 0, code: 'not-found', detail: 'It is not there.' },
      ],
    });
    for (const [action, done, unchanged] of [
      ['evict', 'evicted', 'not in the cache'],
      ['pin', 'pinned', 'pinned already'],
      ['unpin', 'unpinned', 'was not pinned'],
      ['prefetch', 'fetched', 'in the cache already'],
    ] as const) {
      const answers = { [`POST /v1/cache/${action}`]: () => results };
      const told = await asked(t, answers, 'cache', action, '/opt/dags/a', 'b/', '.');
      assert.equal(told.exitCode, 66);
      assert.equal(
        told.out,
        `${done}  a  2 files, 2.0 KiB\n${unchanged}  b\nfailed (not-found)  (the whole tree): It is not there.\n`,
      );
      const body = told.asked.at(-1)?.body;
      const shape = action === 'prefetch' ? prefetchRequestShape : pathsRequestShape;
      assert.deepEqual((z.parse(shape, body) as { paths: string[] }).paths, ['a', 'b', '']);
    }
    assert.equal((await asked(t, {}, 'cache', 'pin')).exitCode, 64);
  });

  test('verify says which blobs were not as they were stored', async (t) => {
    const verified = z.parse(verifiedShape, {
      blobs: 12,
      bytes: 2048,
      corrupt: 2,
      removed: [
        { key: ID, path: 'a.py' },
        { key: OTHER_ID, path: null },
      ],
    });
    const { out } = await asked(t, { 'POST /v1/cache/verify': () => verified }, 'cache', 'verify');
    assert.match(out, /^12 blobs \(2\.0 KiB\) read, 2 blobs not as stored.*\n {2}a\.py\n {2}f{32}\n$/);
  });

  test('names what it can do where it is told something else', async (t) => {
    const { exitCode, err } = await asked(t, {}, 'cache', 'evcit');
    assert.equal(exitCode, 64);
    assert.match(err, /Did you mean dagmount cache evict\?/);
    assert.equal((await asked(t, {}, 'cache')).exitCode, 64);
  });
});

describe('log-level', () => {
  test('changes the level and says what it was', async (t) => {
    const set = z.parse(logLevelShape, { level: 'debug', was: 'info' });
    const told = await asked(t, { 'PUT /v1/log-level': () => set }, 'log-level', 'debug');
    assert.equal(told.out, 'The log level is debug; it was info.\n');
    assert.deepEqual(z.parse(logLevelRequestShape, told.asked.at(-1)?.body), { level: 'debug' });
    assert.equal((await asked(t, {}, 'log-level', 'loud')).exitCode, 64);
    assert.equal((await asked(t, {}, 'log-level')).exitCode, 64);
  });
});

describe('metrics', () => {
  const text = '# TYPE a counter\na{x="1,2",y="\\"}\\n"} 3\nb 0.5 # {t="x"} 1\nc_bucket{le="+Inf"} 4\n';

  test('prints what a scrape would see, or its samples', async (t) => {
    assert.equal((await asked(t, { 'GET /metrics': () => text }, 'metrics')).out, text);
    const { out } = await asked(t, { 'GET /metrics': () => text }, 'metrics', '--json');
    assert.deepEqual(JSON.parse(out), {
      samples: [
        { name: 'a', labels: { x: '1,2', y: '"}\n' }, value: 3 },
        { name: 'b', labels: {}, value: 0.5 },
        { name: 'c_bucket', labels: { le: '+Inf' }, value: 4 },
      ],
    });
  });
});
