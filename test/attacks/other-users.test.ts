import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { contentBytes, trailerOf } from '../../src/cache/trailer.ts';
import { type Mount as MountPoint, readMounts } from '../../src/host/mountinfo.ts';
import { processOf } from '../../src/host/process.ts';
import { mountStore, openStore } from '../e2e/fixture.ts';
import { startChild } from '../support/child.ts';
import { listeningPorts } from '../support/listening.ts';
import { dagmount, type Mount, statusOf } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { descendants } from '../support/processes.ts';
import { read, shell } from '../support/reader.ts';
import { serverOf, standsBy } from '../support/supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { Attacker, attackImpossible } from './attacker.ts';

/*
 * What an unprivileged user of a host tries against a mount of root's, and against root's commands: each attempt was
 * once seen to work. One mount of root's serves all of this test; the attacker's mounts exist in the kernel alone.
 */

const LIES = 's3://attacker/dags/';

function mountpointsAt(target: string): readonly MountPoint[] {
  return readMounts().filter(({ mountPoint }) => mountPoint === target);
}

/** Files, a process and a mount of root's that no attack may touch. */
async function victims(t: Cleanup) {
  const directory = await temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const files = ['state.json', 'connection.json', 'control-socket.json', 'takeover'];
  for (const id of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']) {
    mkdirSync(join(directory, id));
    for (const file of files) writeFileSync(join(directory, id, file), 'precious');
  }
  const sleeper = startChild('sleep', ['600']);
  defer(t, () => sleeper.kill('SIGKILL'));
  const tmpfs = join(directory, 'mounts/dags');
  mkdirSync(tmpfs, { recursive: true });
  await read('mount', ['-t', 'tmpfs', 'victim', tmpfs]);
  defer(t, async () => {
    await read('umount', ['-l', tmpfs]);
  });
  return {
    directory,
    mounts: dirname(tmpfs),
    sleeper: processOf(sleeper.pid),
    areUntouched: (): void => {
      for (const id of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']) {
        assert.deepEqual(readdirSync(join(directory, id)).sort(), [...files].sort());
      }
      assert.ok(existsSync(`/proc/${sleeper.pid}`) && sleeper.process.exitCode === null);
      assert.equal(sleeper.process.signalCode, null, 'it was signalled');
      assert.equal(mountpointsAt(tmpfs).length, 1, 'another mount was taken away');
    },
  };
}

/** A blob with other content of the same length, and with a label and a checksum that match the content. */
function forgedFrom(blob: Buffer): Buffer {
  const length = contentBytes(blob, blob.length) ?? 0;
  const content = Buffer.alloc(length, 'evil!\n');
  // The label lies between the content and the last 16 bytes.
  const label = blob.subarray(length, blob.length - 16);
  return Buffer.concat([content, trailerOf(label, crc32(content))]);
}

async function rootsMount(t: Cleanup): Promise<{ readonly mount: Mount; readonly shared: string }> {
  const store = await openStore(
    t,
    new Map([
      ['a.py', 'a = 1\n'],
      ['b.py', 'b = 1\n'],
    ]),
  );
  const shared = join(await temporaryDirectory(t), 'shared');
  mkdirSync(shared, { mode: 0o755 });
  for (const path of [dirname(shared), shared]) chmodSync(path, 0o755);
  const mount = await mountStore(t, store, { cacheDirectory: join(shared, 'cache'), standby: true });
  return { mount, shared };
}

describe('another user of the host', { skip: attackImpossible }, () => {
  test('reads no credentials, serves no code, and reaches nothing through what root is asked to look at', async (t) => {
    const { mount, shared } = await rootsMount(t);
    const attacker = await Attacker.come(t);
    const root = await victims(t);

    await t.test('1: no process opens a debugger by SIGUSR1, one that stands by neither', async () => {
      // The supervisor starts a standby at once only after a server has died.
      const killed = await mount.serverPid();
      process.kill(killed, 'SIGKILL');
      const all = await waitFor('another server, and one that stands by', () => {
        const server = serverOf(mount.pid);
        const standby = descendants(mount.pid).find((pid) => pid !== server && standsBy(pid));
        if (server === undefined || server === killed || standby === undefined) return undefined;
        return [mount.pid, server, standby];
      });
      assert.equal(attacker.run(`kill -USR1 ${all.join(' ')}`).status, 1, 'the attacker may not signal them');
      // `systemctl restart` sends this signal to the server itself if the server has no supervisor.
      for (let times = 0; times < 50; times++) {
        for (const pid of all) process.kill(pid, 'SIGUSR1');
        for (const pid of all) assert.deepEqual(listeningPorts(pid), []);
      }
      const { pid } = await statusOf(mount);
      assert.ok(all.includes(pid), 'and they go on');
      assert.doesNotMatch(mount.stderr(), /Debugger listening/);
    });

    await t.test(
      '2: a cache that can be replaced is refused, and what was put in its place is not served',
      async () => {
        const open = join(shared, 'open');
        mkdirSync(open);
        chmodSync(open, 0o777);
        const target = join(shared, 'elsewhere');
        mkdirSync(target);
        const refused = await dagmount(['mount', 's3://b/p', target, '--cache-dir', open], {
          XDG_RUNTIME_DIR: open,
        });
        assert.equal(refused.code, 73, refused.stderr);
        assert.match(refused.stderr, /can be written by everybody[\s\S]*chmod go-w/);
        assert.deepEqual([readdirSync(open), mountsAt(target)], [[], []]);

        const blobs = (await read('find', [mount.cacheDirectory, '-path', '*/blobs/*', '-type', 'f']))
          .trim()
          .split('\n');
        assert.ok(blobs.length >= 2, blobs.join());
        const forged = blobs.map((blob) => {
          const path = `forged/${relative(mount.cacheDirectory, blob)}`;
          return `mkdir -p $(dirname ${path}); echo ${forgedFrom(readFileSync(blob)).toString('base64')} | base64 -d >${path}`;
        });
        assert.equal(attacker.run(forged.join('; ')).status, 0);
        // An administrator opens the directory to all users while the mount is in use.
        chmodSync(shared, 0o777);
        const swapped = attacker.run(
          `mv ${mount.cacheDirectory} ${shared}/gone && mv forged ${mount.cacheDirectory}`,
        );
        assert.equal(swapped.status, 0, swapped.output);
        assert.equal(await shell(mount.target, 'cat a.py b.py'), 'a = 1\nb = 1\n');
        // Restores the directory for the next subtests.
        rmSync(mount.cacheDirectory, { recursive: true });
        renameSync(join(shared, 'gone'), mount.cacheDirectory);
        chmodSync(shared, 0o755);
      },
    );

    await t.test(
      '5: what never answers in the place of a state hangs nothing, and hides no other mount',
      async () => {
        const target = join(attacker.directory, 'five');
        const made = attacker.run(`
        mkdir five $R && chmod 700 $R && cd $R
        mkdir 111111111111 222222222222 333333333333 444444444444
        mkfifo 111111111111/state.json; mkfifo fifo
        ln -s /dev/zero 222222222222/state.json
        truncate -s 1T 333333333333/state.json
        printf '%s' '{"pid": 1, "target": "${mount.target}", "sour' >444444444444/state.json
        ln -s ${root.directory}/aaaaaaaaaaaa 555555555555
        ln -s fifo 666666666666
        mkfifo 777777777777`);
        assert.equal(made.status, 0, made.output);
        attacker.mount(target, LIES);
        // A file system of the attacker's that never answers.
        const silent = join(attacker.runtimeDirectory, '888888888888');
        attacker.run(`mkdir ${silent}`);
        attacker.mount(silent, LIES);
        const listed = await dagmount(['list', '--json'], mount.environment, 20_000);
        assert.deepEqual([listed.code, listed.signal], [0, null], listed.stderr);
        const all = JSON.parse(listed.stdout) as { readonly target: string; readonly pid: number | null }[];
        const pidAt = (at: string): number | null | undefined => all.find((each) => each.target === at)?.pid;
        assert.equal(pidAt(mount.target), (await statusOf(mount)).pid);
        assert.equal(pidAt(target), null);
        for (const id of ['1', '2', '3', '4', '5', '6', '7', '8']) {
          assert.match(listed.stderr, new RegExp(`${attacker.runtimeDirectory}/${id.repeat(12)}`));
        }
        for (const args of [
          ['status', '--mount', mount.target],
          // The ExecReload= of the unit runs this command.
          ['restart', '--mount', mount.target],
        ]) {
          const { code, stderr } = await dagmount(args, mount.environment, 30_000);
          assert.equal(code, 0, `${args[0]}: ${stderr}${mount.stderr().slice(-6000)}`);
        }
        const unmounted = await dagmount(['unmount', target], mount.environment, 20_000);
        assert.deepEqual([unmounted.code, mountsAt(target)], [0, []], unmounted.stderr);
        assert.equal((await dagmount(['unmount', silent], mount.environment, 20_000)).code, 0);
        root.areUntouched();
        attacker.run('rm -rf $R');
      },
    );

    await t.test("4: root signals and asks nothing that a state names and is not its user's", async () => {
      const target = join(attacker.directory, 'four');
      let asked = 0;
      const server = createServer((socket) => {
        asked += 1;
        socket.destroy();
      });
      const socket = join(root.directory, 'root.sock');
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      defer(t, () => void server.close());
      const state = {
        pid: 4_000_000,
        source: LIES,
        target,
        ready: true,
        startedAt: '2026-01-01T00:00:00.000Z',
        socket,
        driver: 'kernel',
        cacheDirectory: root.directory,
        supervisor: root.sleeper,
        session: root.sleeper,
      };
      const write = (id: string, written: object): string =>
        `mkdir -p $R/${id} && chmod 700 $R && printf '%s' '${JSON.stringify(written)}' >$R/${id}/state.json`;
      // A second state claims that its process serves root's own mount.
      const lie = { ...state, target: mount.target, source: 's3://x/', pid: 1, supervisor: undefined };
      const made = attacker.run(`mkdir four; ${write('aaaaaaaaaaaa', state)}; ${write('cccccccccccc', lie)}`);
      assert.equal(made.status, 0, made.output);
      attacker.mount(target, LIES);
      for (const at of [target, mount.target]) {
        const { stdout } = await dagmount(['status', '--mount', at], mount.environment, 30_000);
        assert.equal(stdout !== '', at === mount.target);
      }
      // The state now names a live process of the attacker's, so root believes that part; root must not believe the
      // socket.
      const own = attacker.start('exec sleep 600');
      const alive = await waitFor('a process of the attacker', () =>
        statSync(`/proc/${own.pid}`).uid === attacker.uid ? processOf(own.pid) : undefined,
      );
      attacker.run(write('aaaaaaaaaaaa', { ...state, ...alive, supervisor: undefined }));
      const { code, stderr } = await dagmount(['status', '--mount', target], mount.environment, 30_000);
      assert.notEqual(code, 0);
      assert.match(stderr, /belongs to another user/);
      // The socket is on a file system of the attacker's that never answers, not even to root acting for the attacker.
      attacker.run('mkdir silent');
      attacker.mount(join(attacker.directory, 'silent'), LIES);
      attacker.run(write('aaaaaaaaaaaa', { ...state, socket: join(attacker.directory, 'silent/x.sock') }));
      const unmounted = await dagmount(['unmount', target], mount.environment, 30_000);
      assert.deepEqual([unmounted.code, mountsAt(target)], [0, []], unmounted.stderr);
      assert.ok(!existsSync(join(attacker.runtimeDirectory, 'aaaaaaaaaaaa')), 'what it left is gone');
      assert.equal(asked, 0, "root's socket was connected to");
      assert.ok(existsSync(socket));
      root.areUntouched();
      attacker.run('rm -rf $R');
    });

    await t.test(
      '3: unmount follows nothing that is swapped meanwhile, and takes no other mount away',
      async () => {
        const target = join(attacker.directory, 'three/dags');
        const state = {
          pid: 4_000_000,
          source: LIES,
          target,
          ready: true,
          startedAt: '2026-01-01T00:00:00.000Z',
          socket: null,
          cacheDirectory: root.directory,
        };
        const made = attacker.run(`
        mkdir -p three/dags evil/aaaaaaaaaaaa evil/bbbbbbbbbbbb && chmod 700 evil
        printf '%s' '${JSON.stringify(state)}' | tee evil/aaaaaaaaaaaa/state.json >evil/bbbbbbbbbbbb/state.json`);
        assert.equal(made.status, 0, made.output);
        attacker.mount(target, LIES);
        // Writing to the FIFO waits until root reads it: so the script knows when root has believed the state, and is
        // about to clean up.
        attacker.run(`
        cp -r evil fed && rm fed/*/state.json && mkfifo fed/aaaaaaaaaaaa/state.json && ln -sfn $PWD/fed $R`);
        const feeding = attacker.start(`
        cat evil/aaaaaaaaaaaa/state.json >fed/aaaaaaaaaaaa/state.json
        exec 3>fed/aaaaaaaaaaaa/state.json; cat evil/aaaaaaaaaaaa/state.json >&3
        ln -sfn ${root.directory} $R; exec 3>&-`);
        await dagmount(['unmount', target], mount.environment, 30_000);
        feeding.kill('SIGKILL');
        await feeding.exit;
        root.areUntouched();
        attacker.run('rm -f $R');
        if (mountsAt(target).length === 0) attacker.mount(target, LIES);
        const swaps = [
          // Replaces the directory of all mounts by a link.
          `while :; do ln -sfn $PWD/evil $R; ln -sfn ${root.directory} $R; done`,
          // Replaces the directory of one mount, inside a real directory, by a link.
          `mv evil $R; cd $R; while :; do mv bbbbbbbbbbbb b; ln -s ${root.directory}/bbbbbbbbbbbb .; rm bbbbbbbbbbbb; mv b bbbbbbbbbbbb; done`,
          // Replaces the directory that contains the mount point.
          `while :; do mv three 3; ln -s ${root.mounts} three; rm three; mv 3 three; done`,
        ];
        for (const swap of swaps) {
          const swapping = attacker.start(swap);
          // `unmount` may find the mount gone or moved; this test only checks what it does to other files and mounts.
          for (let times = 0; times < 2; times++)
            await dagmount(['unmount', target], mount.environment, 30_000);
          swapping.kill('SIGKILL');
          await swapping.exit;
          attacker.run('[ -e 3 ] && { rm -f three; mv 3 three; }; [ -L $R ] && rm $R; true');
          root.areUntouched();
          if (mountsAt(target).length === 0) attacker.mount(target, LIES);
        }
      },
    );

    assert.equal(readFileSync(`/proc/${mount.pid}/comm`, 'latin1').trim(), 'dagmount-superv');
    assert.equal(await shell(mount.target, 'cat a.py'), 'a = 1\n');
  });
});
