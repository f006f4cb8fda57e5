import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadAddon } from '../../src/session/kernel/addon.ts';
import { type Child, startChild } from '../support/child.ts';
import { mountImpossible, unmountLazily } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

/** The reason, for a test's `skip`, why this process cannot act as another user; false if it can. */
export const attackImpossible: string | false = reasonAgainst();

function reasonAgainst(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to play another user of its host';
  if (mountImpossible) return mountImpossible;
  return spawnSync('setpriv', ['--version']).status === 0 ? false : 'there is no setpriv (util-linux)';
}

/**
 * An unprivileged user of this host, with a uid that no other test uses. It does what any shell user can do, and makes
 * mounts that claim to be dagmount's.
 */
export class Attacker {
  /** Differs for each process, since tests of several worktrees may run at once. */
  readonly uid = 300_000 + process.pid;
  /** This user owns the directory, and every user can read it. */
  readonly directory: string;
  /** Root looks in this directory for the states of this user's mounts. */
  readonly runtimeDirectory = `/tmp/dagmount-${this.uid}`;
  readonly #test: Cleanup;

  private constructor(test: Cleanup, directory: string) {
    this.#test = test;
    this.directory = directory;
  }

  static async come(test: Cleanup): Promise<Attacker> {
    const above = await temporaryDirectory(test);
    chmodSync(above, 0o755);
    const attacker = new Attacker(test, join(above, 'attacker'));
    mkdirSync(attacker.directory);
    chownSync(attacker.directory, attacker.uid, attacker.uid);
    defer(test, () => rmSync(attacker.runtimeDirectory, { recursive: true, force: true }));
    return attacker;
  }

  /** Runs a shell script as this user, in its directory, and waits for its end. */
  run(script: string): { readonly status: number | null; readonly output: string } {
    const [program, ...args] = this.#command(script);
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      cwd: this.directory,
      timeout: 20_000,
    });
    return { status, output: stdout + stderr };
  }

  /** Starts such a script; it runs until the test ends or kills it. */
  start(script: string): Child {
    const [program, ...args] = this.#command(script);
    const child = startChild(program, args, { cwd: this.directory });
    defer(this.#test, async () => {
      child.kill('SIGKILL');
      await child.exit;
    });
    return child;
  }

  #command(script: string): readonly [string, ...string[]] {
    const ids = [
      '--reuid',
      String(this.uid),
      '--regid',
      String(this.uid),
      '--clear-groups',
      '--pdeathsig',
      'KILL',
    ];
    return ['setpriv', ...ids, '--', 'sh', '-c', `U=${this.uid} R=${this.runtimeDirectory}; ${script}`];
  }

  /**
   * Makes a mount that the kernel shows as this user's, as fusermount3 would have made it. No process answers in it.
   * `source`: an s3:// address.
   */
  mount(target: string, source: string): void {
    const options = [
      `source=${source}`,
      'subtype=dagmount',
      'ro',
      'rootmode=40000',
      `user_id=${this.uid}`,
      `group_id=${this.uid}`,
      'allow_other',
    ];
    const device = loadAddon().mountDirect(target, options.join('\n'), false);
    defer(this.#test, async () => {
      closeSync(device);
      if (mountsAt(target).length > 0) await unmountLazily(target);
    });
  }
}
