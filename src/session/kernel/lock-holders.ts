import { readdir, readFile, stat } from 'node:fs/promises';

/** A thread that lists a directory, and holds the directory's lock meanwhile. */
export interface LockHolder {
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  /**
   * The name that the process has in the kernel (comm), as printable ASCII. The kernel keeps at most 15
   * bytes.
   */
  readonly command: string;
}

export interface HolderSearch {
  /** `major:minor` of the mount's filesystem. */
  readonly device: string;
  /** The directory's node id, which is its inode number too. */
  readonly nodeId: number;
  /** The directory in which the kernel shows processes. Tests use another directory. */
  readonly proc?: string;
  readonly arch?: string;
  readonly signal: AbortSignal;
}

/**
 * The numbers of the system calls getdents64 and getdents: those of the architecture, and those of 32-bit
 * programs on it.
 */
const LISTING: Readonly<Record<string, readonly number[]>> = {
  x64: [217, 78, 220, 141],
  arm64: [61, 220, 141],
};
/**
 * The maximum number of threads to examine. A host has some thousands, and to examine one costs reading a
 * file.
 */
const MOST_THREADS = 50_000;
/** The maximum number of holders to report. */
const MOST_HOLDERS = 16;

/**
 * Returns the threads that hold a directory's lock in the kernel: those whose current system call lists this
 * directory. Reads no file that another process could make block: not the memory of a process (`cmdline`,
 * `environ`, `maps`), and not, through `fd`, a file in a mount. Only root sees other users' processes
 * (ptrace(2)).
 */
export async function findLockHolders(search: HolderSearch): Promise<readonly LockHolder[]> {
  const { proc = '/proc', signal } = search;
  const found: LockHolder[] = [];
  let threads = 0;
  for (const pid of await numbersIn(proc)) {
    for (const tid of await numbersIn(`${proc}/${pid}/task`)) {
      threads += 1;
      if (signal.aborted || threads > MOST_THREADS || found.length === MOST_HOLDERS) return found;
      const holder = await holderOf(search, proc, pid, tid);
      if (holder !== undefined) found.push(holder);
    }
  }
  return found;
}

async function holderOf(
  { device, nodeId, arch = process.arch }: HolderSearch,
  proc: string,
  pid: number,
  tid: number,
): Promise<LockHolder | undefined> {
  // The file contains the number of the system call and its arguments (`217 0x4 …`), or `running` if the
  // thread is not in the kernel.
  const [number, fd] = (await textOf(`${proc}/${pid}/task/${tid}/syscall`)).split(' ', 2);
  if (fd === undefined || !(LISTING[arch] ?? []).includes(Number(number))) return undefined;
  const about = await textOf(`${proc}/${pid}/task/${tid}/fdinfo/${Number(fd) | 0}`);
  const mount = field(about, 'mnt_id');
  if (mount === undefined) return undefined;
  // Linux before 5.14 does not report the inode number.
  const inode = field(about, 'ino');
  if (inode !== undefined && inode !== nodeId) return undefined;
  // Reads the table of the process's own mount namespace, because a container has mount numbers that the
  // table of this process lacks.
  const mounts = await textOf(`${proc}/${pid}/mountinfo`);
  if (!mounts.split('\n').some((line) => isMount(line, mount, device))) return undefined;
  const command = (await textOf(`${proc}/${pid}/comm`)).trimEnd().replace(/[^\x20-\x7e]/g, '?');
  const uid = await stat(`${proc}/${pid}`).then(
    (stats) => stats.uid,
    () => undefined,
  );
  return uid === undefined ? undefined : { pid, tid, uid, command };
}

function isMount(line: string, id: number, device: string): boolean {
  const [mountId, , majorMinor] = line.split(' ', 3);
  return Number(mountId) === id && majorMinor === device;
}

function field(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

async function numbersIn(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Reads a file; returns '' if the process has ended, or if the file is not readable. */
function textOf(file: string): Promise<string> {
  return readFile(file, 'latin1').catch(() => '');
}
