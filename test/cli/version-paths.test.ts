import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusOf } from '../control/fixture.ts';
import type { Answering } from './fake-daemon.ts';
import { asked, entryAt, entryItem } from './inspected-entries.ts';

describe('a path of a version', () => {
  const version = `sha256-${'1'.repeat(64)}`;
  const layout = {
    'GET /v1/status': () => ({ ...statusOf(), mount: { ...statusOf().mount, layout: 'versions' } }),
  };
  const [given, absolute] = [`versions/${version}/team/a.py`, `/opt/dags/versions/${version}/team/a.py`];

  test('is asked for in its tree by ls, why and cache, also where the current tree has one like it', async (t) => {
    for (const path of [given, absolute, `${absolute}/`]) {
      const why = await asked(
        t,
        { ...layout, 'GET /v1/entries/team%2Fa.py': () => entryAt('team/a.py', { version, key: null }) },
        'why',
        path,
      );
      assert.equal(why.exitCode, 0);
      assert.match(why.out, new RegExp(`^version +${version}$`, 'm'));
      assert.doesNotMatch(why.out, /^(key|visible since|generation)/m);
      const item = { path: 'team/a.py', outcome: 'done', files: 1, bytes: 1, code: null, detail: null };
      const evicted = await asked(
        t,
        { ...layout, 'POST /v1/cache/evict': () => ({ items: [item] }) },
        'cache',
        'evict',
        path,
      );
      assert.equal(evicted.out, `evicted  versions/${version}/team/a.py  1 file, 1 B\n`);
      assert.deepEqual(evicted.asked.at(-1)?.body, { paths: ['team/a.py'], version });
    }
    const queries: (string | null)[] = [];
    const entries: Answering = ({ url }) => {
      queries.push(new URL(url, 'http://d').searchParams.get('version'));
      return { items: [entryItem('team/a.py')], next: null };
    };
    const answers = { ...layout, 'GET /v1/entries': entries };
    assert.equal((await asked(t, answers, 'ls', `/opt/dags/versions/${version}`)).exitCode, 0);
    assert.equal((await asked(t, answers, 'ls', 'team')).exitCode, 0);
    assert.deepEqual([queries[0], queries.at(-1)], [version, null]);
  });

  test('and others can be given to cache at once', async (t) => {
    const item = { path: '', outcome: 'unchanged', files: 0, bytes: 0, code: null, detail: null };
    const answers = {
      ...layout,
      'POST /v1/cache/evict': ({ body }: { readonly body: unknown }) => ({
        items: (body as { paths: string[] }).paths.map((path) => ({ ...item, path })),
      }),
    };
    const told = await asked(t, answers, 'cache', 'evict', 'a', 'b', given, `versions/${version}`, 'c');
    const bodies = told.asked.flatMap(({ body }) => (body === undefined ? [] : [body]));
    assert.deepEqual(bodies, [
      { paths: ['a', 'b'] },
      { paths: ['team/a.py', ''], version },
      { paths: ['c'] },
    ]);
  });

  test('is one of the current tree where the mount shows no versions', async (t) => {
    const path = encodeURIComponent(given);
    const told = await asked(t, { [`GET /v1/entries/${path}`]: () => entryAt(given) }, 'why', given);
    assert.equal(told.exitCode, 0);
  });
});
