import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { type Reader, type ReaderOptions, read, startReader } from './reader.ts';
import { repository } from './repository.ts';
import { processesNamed } from './supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** Targets on which every unit depends, and those that the manager starts by itself. */
const TARGETS = ['default', 'sysinit', 'basic', 'shutdown', 'umount', 'multi-user', 'network-online'];

function reasonAgainst(): string | false {
  if (process.getuid?.() !== 0) return 'only root can start a systemd of its own';
  if (!existsSync('/lib/systemd/systemd'))
    return 'there is no systemd here (Debian: apt-get install systemd)';
  if (cgroup2() === undefined) return 'there is no cgroup2 hierarchy here';
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount', '--uts', '--ipc', '--cgroup', 'true'], {
      timeout: 30_000,
    });
    execFileSync('mkdir', [join(cgroup2() ?? '', 'dagmount-test-probe')]);
    rmdirSync(join(cgroup2() ?? '', 'dagmount-test-probe'));
    return false;
  } catch (error) {
    return `namespaces or control groups cannot be made here (${String(error).split('\n')[0]})`;
  }
}

function cgroup2(): string | undefined {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((each) => each.includes(' - cgroup2 '));
  return line?.split(' ')[4];
}

/** The reason, for a test's `skip`, why no systemd can run here; false if one can. */
export const systemdImpossible: string | false = reasonAgainst();

/** A systemd, version 252 or later, that is the first process of its own namespaces. */
export class SystemdMachine {
  /** The id of the first process, in this test's namespace. */
  readonly pid: number;
  readonly #console: () => string;

  private constructor(pid: number, console: () => string) {
    this.pid = pid;
    this.#console = console;
  }

  /** Starts a systemd with these units, and the targets that they need. */
  static async start(test: Cleanup, units: ReadonlyMap<string, string>): Promise<SystemdMachine> {
    const directory = join(await temporaryDirectory(test), 'units');
    await mkdir(directory);
    for (const target of TARGETS) {
      const own = ['sysinit', 'basic', 'shutdown', 'umount'].includes(target)
        ? 'DefaultDependencies=no\n'
        : '';
      await writeFile(join(directory, `${target}.target`), `[Unit]\nDescription=${target}\n${own}`);
    }
    for (const [name, text] of units) await writeFile(join(directory, name), text);
    const group = join(cgroup2() ?? '', `dagmount-test-${process.pid}`);
    const script = join(repository, 'test/support/systemd-machine.sh');
    const child = startChild(script, [directory, group]);
    defer(test, async () => {
      child.kill('SIGKILL');
      await child.exit;
      await waitFor('its control groups to be empty', () => removed(group));
    });
    // The script makes the mounts before it execs systemd.
    const pid = await waitFor('systemd to run', () =>
      processesNamed('systemd').find((each) => parentOf(each) === child.pid),
    );
    const machine = new SystemdMachine(pid, () => child.stdout() + child.stderr());
    await waitFor('systemd', async () =>
      /running|degraded/.test(await machine.tries('systemctl is-system-running')),
    );
    return machine;
  }

  /** The output of systemd and of its services. */
  console(): string {
    return this.#console();
  }

  /** Runs a shell script inside; rejects with the script's output if it fails. */
  async run(script: string, options: ReaderOptions = {}): Promise<string> {
    return await read('nsenter', this.#inside(script), options);
  }

  /** The same, for any exit code. */
  async tries(script: string): Promise<string> {
    return await this.run(`${script} 2>&1 || true`);
  }

  /** Starts a command inside, and does not wait for its end. */
  start(command: readonly string[], options: ReaderOptions = {}): Reader {
    return startReader('nsenter', [...this.#enter(), ...command], options);
  }

  #inside(script: string): readonly string[] {
    return [...this.#enter(), 'sh', '-c', script];
  }

  #enter(): readonly string[] {
    return ['--target', String(this.pid), '--pid', '--mount', '--ipc', '--uts'];
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Removes a control group that is left over, after the groups below it; returns whether it is gone. */
function removed(group: string): boolean {
  try {
    execFileSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], { stdio: 'ignore' });
  } catch {
    return !existsSync(group);
  }
  return !existsSync(group);
}
