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

/** Targets that every unit depends on, and what the manager starts by itself. */
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

/** Why no systemd can be run here, for a test's `skip`; false where one can. */
export const systemdImpossible: string | false = reasonAgainst();

/** A systemd, version 252 or later, that is the first process of namespaces of its own. */
export class SystemdMachine {
  /** Of the first process, as it is seen from here. */
  readonly pid: number;
  readonly #console: () => string;

  private constructor(pid: number, console: () => string) {
    this.pid = pid;
    this.#console = console;
  }

  /** With these units beside the targets that they need. */
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
    // Mounts are made before it goes on as systemd.
    const pid = await waitFor('systemd to run', () =>
      processesNamed('systemd').find((each) => parentOf(each) === child.pid),
    );
    const machine = new SystemdMachine(pid, () => child.stdout() + child.stderr());
    await waitFor('systemd', async () =>
      /running|degraded/.test(await machine.tries('systemctl is-system-running')),
    );
    return machine;
  }

  /** What it has said, and what its services have. */
  console(): string {
    return this.#console();
  }

  /** A shell script inside; rejects with what it said where it fails. */
  async run(script: string, options: ReaderOptions = {}): Promise<string> {
    return await read('nsenter', this.#inside(script), options);
  }

  /** The same, whatever its exit code is. */
  async tries(script: string): Promise<string> {
    return await this.run(`${script} 2>&1 || true`);
  }

  /** A command inside that goes on. */
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

/** Control groups below one that is left go first. */
function removed(group: string): boolean {
  try {
    execFileSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], { stdio: 'ignore' });
  } catch {
    return !existsSync(group);
  }
  return !existsSync(group);
}
