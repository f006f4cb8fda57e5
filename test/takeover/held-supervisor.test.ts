import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Child, startChild } from '../support/child.ts';
import { heldAt, holderMissing, startHolder } from '../support/holder.ts';
import { cleanEnvironment } from '../support/mount.ts';
import { startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { supervisor, supervisorMissing } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

/** What a server prints: test/support/held-server.py. */
interface Inherited {
  readonly pid: number;
  readonly names: readonly string[];
  readonly journal: string | null;
  readonly environment: readonly string[];
}

interface Supervised {
  readonly child: Child;
  /** The last server that has started. */
  server(): Inherited | undefined;
}

async function site(t: Cleanup) {
  const directory = await temporaryDirectory(t);
  const [fifo, socket] = [join(directory, 'connection'), join(directory, 'hold.sock')];
  execFileSync('mkfifo', [fifo]);
  const env = heldAt(socket);
  const launch = (changed: Readonly<Record<string, string>> = {}): Supervised => {
    const server = ['python3', join(repository, 'test/support/held-server.py'), fifo];
    const child = startChild(supervisor, server, { env: cleanEnvironment({ ...env, ...changed }) });
    const supervised: Supervised = {
      child,
      server: () => {
        const line = child.stdout().trim().split('\n').at(-1) ?? '';
        return line.endsWith('}') ? (JSON.parse(line) as Inherited) : undefined;
      },
    };
    defer(t, () => kill(supervised));
    return supervised;
  };
  const start = async (): Promise<Supervised & { readonly began: Inherited }> => {
    const supervised = launch();
    const began = await waitFor('a server', () => supervised.server());
    return { ...supervised, began };
  };
  /** The names that a holder gives to a process with the key, once the previous process is gone. */
  const heldNames = async (): Promise<string> => {
    const source = 'import sys; from holding import *; print(*sorted(attached(*sys.argv[1:])[1]))';
    const args = ['-c', source, env.DAGMOUNT_HOLD, env.DAGMOUNT_HOLD_KEY];
    const pythonPath = { PYTHONPATH: join(repository, 'test/support') };
    return (await startReader('python3', args, { env: pythonPath }).done).stdout.trim();
  };
  return { socket, launch, start, heldNames };
}

/** Kills all processes at once, as the end of their container does. */
async function kill({ child, server }: Supervised): Promise<void> {
  const pid = server()?.pid;
  child.kill('SIGKILL');
  if (pid !== undefined) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The server is already gone.
    }
  }
  await child.exit;
}

describe('a supervisor with a holder', { skip: supervisorMissing || holderMissing }, () => {
  test('gives its server what was stored before all processes of the mount were killed', async (t) => {
    const { socket, start } = await site(t);
    await startHolder(t, socket);
    const first = await start();
    assert.deepEqual(first.began.names, []);
    assert.deepEqual(first.began.environment, ['DAGMOUNT_HOLD', 'DAGMOUNT_HOLD_KEY']);
    await kill(first);
    for (let times = 0; times < 3; times += 1) {
      const next = await start();
      assert.deepEqual(next.began.names, ['fuse', 'journal']);
      assert.equal(next.began.journal, String(first.began.pid));
      await kill(next);
    }
  });

  test('does not start a server while another supervisor has the mount', async (t) => {
    const { socket, start, launch } = await site(t);
    await startHolder(t, socket);
    const first = await start();
    const second = launch();
    assert.deepEqual(await second.child.exit, { code: 75, signal: null });
    assert.equal(JSON.parse(second.child.stderr()).event, 'held-elsewhere');
    assert.equal(second.server(), undefined);
    await kill(first);
    assert.deepEqual((await start()).began.names, ['fuse', 'journal']);
  });

  test('stores everything in a holder that comes later, or after another one', async (t) => {
    const { socket, start } = await site(t);
    const first = await start();
    let holder = await startHolder(t, socket);
    for (let times = 0; times < 2; times += 1) {
      await waitFor('descriptors in the holder', () => descriptorsOf(holder.pid).includes('journal'));
      holder.kill('SIGKILL');
      await holder.exit;
      holder = await startHolder(t, socket);
    }
    await waitFor('descriptors in the holder', () => descriptorsOf(holder.pid).includes('journal'));
    await kill(first);
    assert.deepEqual((await start()).began.names, ['fuse', 'journal']);
  });

  test('leaves the mount to the next process at SIGUSR1, and ends it at SIGTERM', async (t) => {
    const { socket, start, heldNames } = await site(t);
    await startHolder(t, socket);
    const first = await start();
    first.child.kill('SIGUSR1');
    assert.deepEqual(await first.child.exit, { code: 0, signal: null });
    const second = await start();
    assert.deepEqual(second.began.names, ['fuse', 'journal']);
    second.child.kill('SIGTERM');
    assert.deepEqual(await second.child.exit, { code: 0, signal: null });
    assert.equal(await heldNames(), '');
  });

  test('refuses a key that is none', async (t) => {
    const { launch } = await site(t);
    for (const changed of [{ DAGMOUNT_HOLD_KEY: 'guess' }, { DAGMOUNT_HOLD: `/${'x'.repeat(200)}` }]) {
      const { child } = launch(changed);
      assert.deepEqual(await child.exit, { code: 78, signal: null });
      assert.equal(JSON.parse(child.stderr()).event, 'hold-malformed');
    }
  });
});

function descriptorsOf(pid: number): string {
  return execFileSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' });
}
