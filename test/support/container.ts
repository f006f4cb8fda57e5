import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild } from './child.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

const run = promisify(execFile);

/** The reason, for a test's `skip`, why no container can run here; false if one can. */
export const containersImpossible: string | false = reasonAgainstContainers();

function reasonAgainstContainers(): string | false {
  if (process.getuid?.() !== 0) return 'containers are run by root here';
  const missing = ['runc', 'umoci'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
  return missing.length === 0
    ? false
    : `there is no ${missing.join(' and no ')} (Debian: apt-get install runc umoci)`;
}

/** A volume: `private` is mountPropagation None of Kubernetes, `shared` Bidirectional, `slave` HostToContainer. */
export interface Volume {
  readonly source: string;
  readonly destination: string;
  readonly propagation: 'private' | 'shared' | 'slave';
  readonly readOnly?: boolean;
}

export interface ContainerOptions {
  /** Arguments of the image's entry point. */
  readonly args?: readonly string[];
  /** Replaces the image's entry point. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly volumes?: readonly Volume[];
  /** Whether the container gets CAP_SYS_ADMIN and /dev/fuse. */
  readonly mounts?: boolean;
  readonly stdin?: 'ignore' | 'pipe';
}

export interface Container {
  /** The foreground command of the runtime; its streams and exit code are those of the container. */
  readonly runtime: Child;
  /** The first process of the container, by its id on the host. */
  firstProcess(): Promise<number>;
  signal(name: 'KILL' | 'TERM'): Promise<void>;
  /** Runs a command inside, and waits for its end. */
  execute(...command: readonly string[]): Promise<string>;
}

export interface Image {
  /** The command that the image runs by default. */
  readonly entryPoint: readonly string[];
  start(options: ContainerOptions): Promise<Container>;
}

/** The parts of a runtime configuration (config.json of an OCI bundle) that the tests change. */
interface RuntimeConfig {
  process: {
    terminal: boolean;
    args: string[];
    env: string[];
    capabilities: Record<string, readonly string[]>;
  };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: {
    namespaces: { type: string }[];
    rootfsPropagation?: string;
    devices?: object[];
    resources?: { devices?: object[] };
  };
}

/** The default capabilities of containers, except those that nothing here uses. */
const CAPABILITIES = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_SYS_CHROOT'];

/** Unpacks an image, an archive in the OCI layout, for the tests of `test`. Containers share the read-only files. */
export async function openImage(test: Cleanup, archive: string): Promise<Image> {
  const directory = await temporaryDirectory(test);
  const [layout, unpacked] = [join(directory, 'layout'), join(directory, 'unpacked')];
  await mkdir(layout);
  await run('tar', ['-xf', archive, '-C', layout]);
  // umoci takes no name with a colon.
  const indexFile = join(layout, 'index.json');
  const index = JSON.parse(await readFile(indexFile, 'utf8')) as { readonly manifests: readonly object[] };
  const annotations = { 'org.opencontainers.image.ref.name': 'tested' };
  const named = index.manifests.map((manifest) => ({ ...manifest, annotations }));
  await writeFile(indexFile, JSON.stringify({ ...index, manifests: named }));
  await run('umoci', ['unpack', '--image', `${layout}:tested`, unpacked]);
  const text = await readFile(join(unpacked, 'config.json'), 'utf8');
  const { args } = (JSON.parse(text) as RuntimeConfig).process;
  const entryPoint = args.slice(0, args.indexOf('dagmount') + 1);
  let count = 0;
  return {
    entryPoint,
    start: async (options) => {
      count += 1;
      const bundle = join(directory, `bundle-${count}`);
      await mkdir(bundle);
      const config = JSON.parse(text) as RuntimeConfig;
      configure(config, join(unpacked, 'rootfs'), entryPoint, options);
      await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
      return startContainer(test, join(directory, 'state'), bundle, options.stdin ?? 'ignore');
    },
  };
}

function configure(
  config: RuntimeConfig,
  rootfs: string,
  entryPoint: readonly string[],
  { args = [], command, env = {}, volumes = [], mounts = false }: ContainerOptions,
): void {
  const ownRun = process.env.DAGMOUNT_TEST_RUN;
  const variables = { ...env, ...(ownRun !== undefined && { DAGMOUNT_TEST_RUN: ownRun }) };
  const granted = mounts ? [...CAPABILITIES, 'CAP_SYS_ADMIN'] : CAPABILITIES;
  config.process.terminal = false;
  config.process.args = [...(command ?? [...entryPoint, ...args])];
  config.process.env.push(...Object.entries(variables).map(([name, value]) => `${name}=${value}`));
  config.process.capabilities = { bounding: granted, effective: granted, permitted: granted };
  config.root = { path: rootfs, readonly: true };
  for (const destination of ['/run', '/tmp']) {
    config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] });
  }
  for (const { source, destination, propagation, readOnly = false } of volumes) {
    const options = ['rbind', `r${propagation}`, readOnly ? 'ro' : 'rw'];
    if (propagation === 'private') options[0] = 'bind';
    config.mounts.push({ destination, type: 'bind', source, options });
  }
  // The store listens at the host's loopback address.
  config.linux.namespaces = config.linux.namespaces.filter(
    ({ type }) => !['network', 'cgroup', 'user'].includes(type),
  );
  const isShared = volumes.some(({ propagation }) => propagation === 'shared');
  config.linux.rootfsPropagation = isShared ? 'shared' : 'slave';
  if (!mounts) return;
  const fuse = { path: '/dev/fuse', type: 'c', major: 10, minor: 229 };
  config.linux.devices = [...(config.linux.devices ?? []), { ...fuse, fileMode: 0o666, uid: 0, gid: 0 }];
  const rule = { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' };
  config.linux.resources = { devices: [...(config.linux.resources?.devices ?? []), rule] };
}

function startContainer(test: Cleanup, state: string, bundle: string, stdin: 'ignore' | 'pipe'): Container {
  const id = `dagmount-test-${process.pid}-${bundle.split('-').at(-1)}`;
  const runc = ['--root', state];
  const runtime = startChild('runc', [...runc, 'run', '--bundle', bundle, id], { stdin });
  defer(test, async () => {
    await run('runc', [...runc, 'delete', '--force', id]);
    await runtime.exit;
  });
  return {
    runtime,
    firstProcess: () =>
      waitFor('a running container', async () => {
        if (runtime.process.exitCode !== null) throw new Error(`the container ended: ${runtime.stderr()}`);
        const { stdout } = await run('runc', [...runc, 'state', id]).catch(() => ({ stdout: '{}' }));
        const { status, pid } = JSON.parse(stdout) as { readonly status?: string; readonly pid?: number };
        return status === 'running' && pid;
      }),
    signal: async (name) => {
      await run('runc', [...runc, 'kill', id, name]);
    },
    execute: async (...command) => (await run('runc', [...runc, 'exec', id, ...command])).stdout,
  };
}
