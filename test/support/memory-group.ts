import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

/** The hierarchy of control groups that limits memory, and the name of its limit file; undefined without one. */
function hierarchy(): { readonly root: string; readonly limit: string } | undefined {
  const [first, second] = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'];
  if (existsSync(`${first}/memory.limit_in_bytes`)) return { root: first, limit: 'memory.limit_in_bytes' };
  if (existsSync(`${second}/cgroup.controllers`)) return { root: second, limit: 'memory.max' };
  return undefined;
}

export const memoryGroupsMissing: string | false =
  process.getuid?.() !== 0
    ? 'limiting memory takes root'
    : hierarchy() === undefined
      ? 'there are no control groups for memory here'
      : false;

/**
 * Leaves a process almost no memory to allocate: the kernel kills it as soon as it needs a page. The returned function
 * removes the control group once the process is gone.
 */
export function starve(pid: number): () => Promise<void> {
  const { root, limit } = hierarchy() ?? { root: '', limit: '' };
  const group = join(root, `dagmount-test-${process.pid}-${pid}`);
  mkdirSync(group);
  // Memory that the process already has still counts for its old group.
  writeFileSync(join(group, limit), String(256 * 1024));
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return async () => {
    await waitFor('the group to be empty', () => readFileSync(join(group, 'cgroup.procs'), 'utf8') === '');
    rmdirSync(group);
  };
}
