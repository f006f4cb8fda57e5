import { type ManyObjects, serveManyObjects } from './many-objects.ts';
import { launchMount, type Mount } from './mount.ts';
import { watchProportionalSetSize } from './processes.ts';
import { type Cleanup, defer } from './temporary.ts';

export interface MountedMany {
  readonly store: ManyObjects;
  readonly mount: Mount;
  readonly memory: ReturnType<typeof watchProportionalSetSize>;
}

/** A mount of very many objects, which the daemon fetches when they are read, and the mount's use of memory. */
export async function mountMany(test: Cleanup, objects: number, deadlineMs: number): Promise<MountedMany> {
  const store = await serveManyObjects({ objects, prefix: 'dags/' });
  defer(test, () => store.stop());
  const mount = await launchMount(test, {
    source: 's3://fake/dags',
    env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
    args: ['--endpoint-url', store.endpoint, '--poll-interval', '1s', '--settle', '0', '--prefetch', '0'],
  });
  const memory = watchProportionalSetSize(mount.pid);
  defer(test, () => void memory.stop());
  await mount.logged('mounted', deadlineMs);
  return { store, mount, memory };
}
