import { readdirSync, readFileSync } from 'node:fs';

/** The command lines of live processes that contain `text`, except this process's. */
export function processesNaming(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => commandLine(pid))
    .filter((line) => line.includes(text));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch (error) {
    // The process has ended meanwhile.
    if (isGone(error)) return '';
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** Measures a process until `stop`, which returns the highest value, in bytes. A measurement takes some 4 ms of CPU. */
export function watchProportionalSetSize(pid: number, everyMs = 50): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, proportionalSetSize(pid));
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return most;
    },
  };
}

/** The user and system time of a live process and its descendants so far, in seconds. */
export function cpuSeconds(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + cpuSecondsOf(each), 0);
}

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // /proc counts in hundredths of a second, whatever the kernel's own clock is.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/**
 * The resident memory of a process without the pages of its program's files, in bytes. The kernel takes such pages back
 * from a process at rest, and returns them when they are used: this changes VmRSS by several MiB.
 */
export function ownResidentBytes(pid: number): number {
  return statusBytes(pid, 'RssAnon') + statusBytes(pid, 'RssShmem');
}

function statusBytes(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** The proportional set size of a process and its descendants, in bytes: it counts a page that they share once. */
export function proportionalSetSize(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + pss(each), 0);
}

export function descendants(pid: number): readonly number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function pss(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

/** Whether a process was started with this variable. Until exec, a child has its parent's environment and handlers. */
export function startedWith(pid: number, variable: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .some((each) => each.startsWith(`${variable}=`));
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Whether the process would survive SIGHUP (proc(5), /proc/PID/status, SigCgt: bit 0 is signal 1). */
export function heedsHangUp(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const caught = /^SigCgt:\s*[0-9a-f]*([0-9a-f])$/m.exec(status)?.[1] ?? '0';
    return (Number.parseInt(caught, 16) & 1) !== 0;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

export interface Starvation {
  /** Seconds that the process waited for a CPU between two instants, which are seconds since the epoch. */
  between(from: number, to: number): number;
  stop(): void;
}

/**
 * How long a process was ready to run and did not run, since the machine was busy: a bound in seconds must not count
 * this time. Samples every 250 ms; gives nothing if the kernel keeps no such count.
 */
export function watchStarvation(pid: number): Starvation {
  const samples: { readonly at: number; readonly waited: number }[] = [];
  const look = (): void => {
    try {
      // The fields: nanoseconds on a CPU, nanoseconds ready to run without one, and the number of time slices.
      const waited = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
      samples.push({ at: Date.now() / 1000, waited });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };
  look();
  const timer = setInterval(look, 250);
  const waitedUntil = (instant: number): number =>
    (samples.findLast((sample) => sample.at <= instant) ?? samples[0])?.waited ?? 0;
  return {
    between: (from, to) => Math.max(0, waitedUntil(to) - waitedUntil(from)),
    stop: () => clearInterval(timer),
  };
}
