import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Files, LiveSession, unmountable } from './live-session.ts';

/**
 * Runs in a mount namespace of its own, which removes its mounts when it ends. Mounts over paths of the mount, and
 * mounts paths of it elsewhere; prints what is there once the next generation is shown.
 */
const MOUNTS = `
import os, subprocess, tempfile, time
def label(): return os.getxattr('.', 'user.dagmount.generation').decode()
def content(path):
    try: return ','.join(sorted(os.listdir(path))) if os.path.isdir(path) else open(path).read()
    except OSError as error: return error.__class__.__name__
subprocess.run(['mount', '-t', 'tmpfs', 'none', '/mnt'], check=True)
for path in ('/mnt/over/local.py', '/mnt/file'):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'w').write('local')
def bind(source, place): subprocess.run(['mount', '--bind', source, place], check=True)
for place in ('stays', 'touched', 'gone'): bind('/mnt/over', place)
for place in ('same.py', 'changed.py'): bind('/mnt/file', place)
for place in ('in-stays', 'in-gone'): os.mkdir(f'/mnt/{place}')
open('/mnt/in-file', 'w').close()
bind('outside', '/mnt/in-stays')
bind('leaves', '/mnt/in-gone')
bind('outside/z.py', '/mnt/in-file')
def next_generation(tell):
    before = label()
    open(tell, 'w').close()
    while label() in (before, 'changing'): time.sleep(0.01)
next_generation(ready)
for path in ('stays', 'touched', 'gone', 'same.py', 'changed.py', '/mnt/in-stays/z.py', '/mnt/in-gone', '/mnt/in-file'):
    print(path, content(path))
next_generation(ready + '-again')
for path in ('gone', '/mnt/in-gone', '/mnt/in-file'): print('again', path, content(path))`;

describe('a publication', { skip: unmountable(), timeout: 60_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  test('leaves what is mounted over a directory that stays or a file that does not change, and nothing else', async (t) => {
    const same: Files = { 'stays/a.py': 'a', 'same.py': 's' };
    session = await LiveSession.start(
      {
        ...same,
        'touched/b.py': 'b',
        'gone/c.py': 'c',
        'changed.py': 'old',
        'outside/z.py': 'z',
        'leaves/y.py': 'y',
      },
      'kernel',
    );
    const ready = join(await temporaryDirectory(t), 'ready');
    const script = `ready = ${JSON.stringify(ready)}${MOUNTS}`;
    const out = session.sh(`unshare -m --propagation private python3 - <<'PYTHON'\n${script}\nPYTHON`);
    await waitFor('the mounts to be made', () => existsSync(ready));
    const next = { ...same, 'touched/b.py': 'new', 'changed.py': 'newer', 'outside/z.py': 'zz' };
    await session.publish(next);
    await waitFor('what it sees', () => existsSync(`${ready}-again`));
    await session.publish({ ...next, 'gone/c.py': 'c', 'leaves/y.py': 'y' });
    assert.deepEqual((await out).trim().split('\n'), [
      'stays local.py',
      'touched local.py',
      'gone FileNotFoundError',
      'same.py local',
      'changed.py newer',
      '/mnt/in-stays/z.py zz',
      '/mnt/in-gone ',
      '/mnt/in-file z',
      'again gone c.py',
      'again /mnt/in-gone y.py',
      'again /mnt/in-file z',
    ]);
  });
});
