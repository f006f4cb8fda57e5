import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { CONTAINER_NAMESPACES } from './container-namespaces.ts';
import { CsiClient } from './csi-client.ts';
import { holderMissing, startHolder } from './holder.ts';
import { cleanEnvironment, cli, mountImpossible, parseLog, unmountLazily } from './mount.ts';
import { mountsAt } from './mountinfo.ts';
import { mountCallImpossible } from './privileges.ts';
import { shareMounts, shareMountsAnew } from './shared-mounts.ts';
import { supervisorMissing } from './supervised.ts';
import { type Cleanup, defer, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** The reason why this machine cannot act as a node; false if it can. */
export const nodeImpossible = mountImpossible || mountCallImpossible || supervisorMissing || holderMissing;

export interface CsiNodeOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Settings in csi.yaml: what volumes may show, and the endpoint of the default profile. */
  readonly allow: readonly string[];
  readonly endpoint: string;
  /** Whether kubelet's directory is a link. */
  readonly linked?: boolean;
  readonly idle?: string;
  readonly deadline?: string;
}

export interface DriverPod {
  /** Kills all processes of the pod at once. */
  kill(): Promise<void>;
}

type Attributes = Readonly<Record<string, string>>;

/** A node with a holder and a driver, each in namespaces of its own. The test acts as kubelet. */
export class CsiNode {
  readonly directory: string;
  readonly kubelet: string;
  readonly client: CsiClient;
  readonly #env: NodeJS.ProcessEnv;
  readonly #attributes: Attributes;
  readonly #test: Cleanup;
  #driver: Child | undefined;
  #holder: Child | undefined;

  private constructor(test: Cleanup, directory: string, { env, allow }: CsiNodeOptions) {
    this.directory = directory;
    this.kubelet = join(directory, 'kubelet');
    this.client = new CsiClient(this.socket);
    this.#test = test;
    this.#env = cleanEnvironment({ ...env, DAGMOUNT_RUNTIME_DIR: join(directory, 'run') });
    this.#attributes = { source: allow[0] ?? '' };
  }

  static async start(test: Cleanup, options: CsiNodeOptions): Promise<CsiNode> {
    const directory = await temporaryDirectory(test);
    const node = new CsiNode(test, directory, options);
    const { allow, endpoint, idle = '1s', deadline = '30s', linked = false } = options;
    await mkdir(linked ? join(directory, 'real') : node.kubelet);
    if (linked) await symlink(join(directory, 'real'), node.kubelet);
    await shareMounts(test, directory);
    defer(test, async () => {
      await node.kill();
      node.client.close();
      for (const key of node.mountKeys()) await unmountLazily(node.placeOf(key)).catch(() => undefined);
    });
    const options_ = `{endpoint-url: '${endpoint}', poll-interval: 1s, settle: '0', no-standby: 'true'}`;
    await writeFile(
      join(directory, 'csi.yaml'),
      `allow: [${allow.join(', ')}]
endpoints: [http://127.0.0.1:9]
profiles: {default: ${options_}}
deadline: ${deadline}
idle: ${idle}
state-dir: ${directory}/state
cache-dir: ${directory}/cache
hold: ${directory}/hold.sock
`,
    );
    await node.startHolder();
    await node.startDriver();
    return node;
  }

  get socket(): string {
    return join(this.directory, 'csi.sock');
  }

  /** Restarts the node: all mounts and all processes are gone, and the files on the disk stay. */
  async restart(): Promise<void> {
    await this.kill();
    await this.killHolder();
    await shareMountsAnew(this.directory);
    await rm(join(this.directory, 'run'), { recursive: true, force: true });
    await this.startHolder();
    await this.startDriver();
  }

  async startHolder(): Promise<void> {
    const socket = join(this.directory, 'hold.sock');
    this.#holder = await startHolder(this.#test, socket, ['unshare', '--mount', '--ipc', '--net']);
  }

  async killHolder(): Promise<void> {
    this.#holder?.kill('SIGKILL');
    await this.#holder?.exit;
  }

  async startDriver(): Promise<void> {
    await this.#startDriverUntil('driver-listening');
  }

  /** Starts another driver beside the running one. All other methods then use the new driver; returns the old one. */
  async startSecondDriver(): Promise<DriverPod> {
    const before = this.#driver as Child;
    await this.#startDriverUntil('driver-waits');
    return { kill: () => killPod(before) };
  }

  /** Waits until the driver that was started last listens. */
  async driverListens(): Promise<void> {
    await this.#driverSays('driver-listening');
  }

  async #startDriverUntil(event: 'driver-listening' | 'driver-waits'): Promise<void> {
    const { directory, kubelet, socket } = this;
    const words = [...CONTAINER_NAMESPACES, process.execPath, cli, 'csi', '--endpoint', `unix://${socket}`];
    words.push('--node-id', 'node-1', '--kubelet-dir', kubelet, '--config', join(directory, 'csi.yaml'));
    words.push('--metrics-listen', '127.0.0.1:0');
    this.#driver = startChild('unshare', words, { env: this.#env });
    await this.#driverSays(event);
  }

  async #driverSays(said: string): Promise<void> {
    const driver = this.#driver as Child;
    await waitFor('the driver', () => {
      if (driver.process.exitCode !== null) throw new Error(driver.stderr());
      return this.log().some(({ event }) => event === said);
    });
  }

  /** Kills all processes of the driver's pod at once. */
  async kill(): Promise<void> {
    await killPod(this.#driver);
  }

  /** Ends the driver as the deletion of its pod does for an upgrade. */
  async terminate(): Promise<void> {
    for (const first of childrenOf(this.#driver?.pid ?? -1)) process.kill(first, 'SIGTERM');
    await this.#driver?.exit;
  }

  /** The log of the running driver, and of its mounts. */
  log() {
    return parseLog(this.#driver?.stderr() ?? '');
  }

  async metrics(): Promise<string> {
    const port = this.log().find(({ event }) => event === 'driver-listening')?.metricsPort;
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  }

  target(pod: string): string {
    return join(this.kubelet, 'pods', pod, 'volumes/kubernetes.io~csi/dags/mount');
  }

  publish(pod: string, attributes = this.#attributes): Promise<void> {
    return this.client.publish({
      volumeId: `csi-${pod}`,
      targetPath: this.target(pod),
      volumeContext: {
        ...attributes,
        'csi.storage.k8s.io/ephemeral': 'true',
        'csi.storage.k8s.io/pod.uid': pod,
      },
    });
  }

  unpublish(pod: string): Promise<void> {
    return this.client.unpublish(`csi-${pod}`, this.target(pod));
  }

  deviceOf(pod: string): number | undefined {
    return this.#mountsAt(this.target(pod)).at(-1)?.minor;
  }

  /** The kernel names the target of a link, not the link. */
  #mountsAt(path: string) {
    return mountsAt(realpathSync(this.kubelet) + path.slice(this.kubelet.length));
  }

  mountKeys(): readonly string[] {
    const mounts = this.placeOf('');
    return existsSync(mounts)
      ? readdirSync(mounts).filter((key) => this.#mountsAt(this.placeOf(key)).length > 0)
      : [];
  }

  placeOf(key: string): string {
    return join(this.kubelet, 'plugins/csi.dagmount.dev.mounts', key);
  }

  /** The number of processes in the driver's pod. */
  processes(): number {
    const all = (pid: number): readonly number[] => childrenOf(pid).flatMap((each) => [each, ...all(each)]);
    return all(this.#driver?.pid ?? -1).length;
  }

  /** The number of open descriptors of the driver itself. */
  descriptors(): number {
    const [first] = childrenOf(this.#driver?.pid ?? -1);
    return readdirSync(`/proc/${first}/fd`).length;
  }
}

/** Kills all processes of a pod at once. */
async function killPod(pod: Child | undefined): Promise<void> {
  for (const first of childrenOf(pod?.pid ?? -1)) process.kill(first, 'SIGKILL');
  pod?.kill('SIGKILL');
  await pod?.exit;
}

function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return list === '' ? [] : list.split(' ').map(Number);
  } catch {
    return [];
  }
}
