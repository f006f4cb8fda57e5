import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { openStore, type Store } from '../e2e/fixture.ts';
import {
  type Container,
  containersImpossible,
  type Image,
  openImage,
  type Volume,
} from '../support/container.ts';
import { CsiClient } from '../support/csi-client.ts';
import { freePorts } from '../support/free-ports.ts';
import { mountImpossible, parseLog } from '../support/mount.ts';
import { mountsAt } from '../support/mountinfo.ts';
import { mountCallImpossible } from '../support/privileges.ts';
import type { Reader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { shareMounts } from '../support/shared-mounts.ts';
import {
  defer,
  makeTemporaryDirectory,
  removeTemporaryDirectory,
  temporaryDirectory,
} from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { body, change, outlived, paths } from './endured-changes.ts';

const run = promisify(execFile);
const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 5);
const READERS = 4;
const MEBIBYTE = 2 ** 20;
const LACKS_TOOLS = 77;

interface Built {
  readonly id: string;
  readonly unpacked: number;
  readonly compressed: number;
  readonly archive: string;
}

/** The image that scripts/image made in a directory; if this machine lacks a tool for it, the reason. */
async function build(directory: string): Promise<Built | string> {
  try {
    const options = { timeout: 1_800_000, maxBuffer: 64 * MEBIBYTE };
    const { stdout } = await run(join(repository, 'scripts/image'), [directory], options);
    const of = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ', 2) as [string, string]),
    );
    const [id = '', archive = ''] = [of.get('id'), of.get('archive')];
    return { id, archive, unpacked: Number(of.get('unpacked')), compressed: Number(of.get('compressed')) };
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code !== LACKS_TOOLS) throw error;
    return String(stderr).trim().split('\n').at(-1) ?? '';
  }
}

/** The parts of a pod's container, as deploy/airflow/without-csi/daemonset.yaml has it, that this test uses. */
interface PodContainer {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly {
    readonly mountPath: string;
    readonly mountPropagation?: 'Bidirectional';
  }[];
}

/** The one container of the DaemonSet of this name. Its volumes are the node's directories of the same paths. */
function containerOf(name: string): PodContainer {
  const file = join(repository, 'deploy/airflow/without-csi/daemonset.yaml');
  const found = parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS())
    .find(({ metadata }) => metadata.name === name);
  return found.spec.template.spec.containers[0];
}

/** A node whose directories are below a temporary directory. */
async function openNode(t: TestContext) {
  const node = await temporaryDirectory(t);
  const shared = join(node, 'mnt/dagmount');
  await shareMounts(t, shared);
  const volumesOf = async ({ volumeMounts }: PodContainer): Promise<readonly Volume[]> => {
    for (const { mountPath } of volumeMounts) await mkdir(join(node, mountPath), { recursive: true });
    return volumeMounts.map(({ mountPath, mountPropagation }) => ({
      source: join(node, mountPath),
      destination: mountPath,
      propagation: mountPropagation === undefined ? 'private' : 'shared',
    }));
  };
  return { node, shared, volumesOf };
}

/** Paths as the driver's container and kubelet know them. */
const KUBELET = '/var/lib/kubelet';
const SOCKET = 'plugins/csi.dagmount.dev/csi.sock';

/** A node as the chart sets it up: its directories, and this test as kubelet. */
async function openKubelet(t: TestContext, { bucket, endpoint }: Store) {
  const directory = await temporaryDirectory(t);
  // A short name: the path of a socket has at most 107 bytes.
  const kubelet = join(directory, 'k');
  await shareMounts(t, kubelet);
  const own = [
    '/run/dagmount',
    '/run/dagmount-hold',
    '/var/cache/dagmount',
    '/var/lib/dagmount',
    '/etc/dagmount',
  ];
  for (const path of [...own, `k/${dirname(SOCKET)}`])
    await mkdir(join(directory, path), { recursive: true });
  const options = `{endpoint-url: '${endpoint}', region: us-east-1, poll-interval: 1s, settle: '0'}`;
  const config = `allow: ['s3://${bucket}/dags']\nprofiles: {default: ${options}}\n`;
  await writeFile(join(directory, 'etc/dagmount/csi.yaml'), config);
  const client = new CsiClient(join(kubelet, SOCKET));
  defer(t, () => client.close());
  const target = (pod: string): string => `pods/${pod}/volumes/kubernetes.io~csi/dags/mount`;
  const volumes: readonly Volume[] = [
    { source: kubelet, destination: KUBELET, propagation: 'shared' },
    ...own.map((path) => ({
      source: join(directory, path),
      destination: path,
      propagation: 'private' as const,
    })),
  ];
  return {
    directory,
    volumes,
    publish: (pod: string): Promise<void> => {
      const volumeContext = { source: `s3://${bucket}/dags`, 'csi.storage.k8s.io/pod.uid': pod };
      return client.publish({ volumeId: pod, targetPath: join(KUBELET, target(pod)), volumeContext });
    },
    unpublish: (pod: string): Promise<void> => client.unpublish(pod, join(KUBELET, target(pod))),
    targetOf: (pod: string): string => join(kubelet, target(pod)),
    deviceOf: (pod: string): number | undefined => mountsAt(join(kubelet, target(pod))).at(-1)?.minor,
  };
}

function childrenOf(pid: number): readonly number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

function events(container: Container): readonly string[] {
  return parseLog(container.runtime.stderr()).map(({ event }) => event);
}

async function says(container: Container, event: string): Promise<Container> {
  await waitFor(event, () => {
    const { exitCode, signalCode } = container.runtime.process;
    if (exitCode !== null || signalCode !== null) throw new Error(container.runtime.stderr());
    return events(container).includes(event);
  });
  return container;
}

/** A program of the host, in a container that sees the node's directory as a pod does: HostToContainer. */
async function startReader(image: Image, volume: string, root: string, seed: number): Promise<Container> {
  const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  return image.start({
    command: ['chroot', '/host', python.stdout.trim(), '/media/endure.py', root, String(seed)],
    env: { LC_ALL: 'C', PYTHONUTF8: '1' },
    volumes: [
      { source: '/', destination: '/host', propagation: 'private', readOnly: true },
      { source: '/dev', destination: '/host/dev', propagation: 'private' },
      {
        source: join(repository, 'test/support/readers'),
        destination: '/host/media',
        propagation: 'private',
      },
      { source: volume, destination: '/host/mnt', propagation: 'slave' },
    ],
    stdin: 'pipe',
  });
}

/** The container as a reader for `outlived`: its streams and its end are those of the container's runtime. */
function readerOf({ runtime }: Container): Reader {
  return {
    pid: runtime.pid,
    stdout: runtime.stdout,
    stderr: runtime.stderr,
    tell: (line) => void runtime.process.stdin?.write(`${line}\n`),
    end: () => void runtime.process.stdin?.end(),
    kill: () => runtime.kill('SIGKILL'),
    done: runtime.exit.then((exit) => ({
      pid: runtime.pid,
      stdout: runtime.stdout(),
      stderr: runtime.stderr(),
      ...exit,
    })),
  };
}

describe('the image', { skip: mountImpossible || mountCallImpossible || containersImpossible }, () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  let first: Built | string;
  let image: Image;
  before(async () => {
    const directory = await makeTemporaryDirectory();
    cleanups.push(() => removeTemporaryDirectory(directory));
    first = await build(join(directory, 'first'));
    if (typeof first === 'string') return;
    image = await openImage({ after: (callback) => cleanups.push(callback) }, first.archive);
  });
  after(async () => {
    for (const clean of cleanups.reverse()) await clean();
  });

  test('is the same if it is built again, and takes less than 300 MiB', async (t) => {
    if (typeof first === 'string') return t.skip(first);
    const second = await build(await temporaryDirectory(t));
    assert.ok(typeof second !== 'string');
    assert.equal(second.id, first.id);
    const [unpacked, compressed] = [first.unpacked / MEBIBYTE, first.compressed / MEBIBYTE];
    t.diagnostic(`${unpacked.toFixed(1)} MiB unpacked, ${compressed.toFixed(1)} MiB compressed`);
    assert.ok(unpacked > 50 && unpacked < 300);
  });

  test(`mounts in a container; readers in others see no error while it is killed ${KILLS} times and replaced twice`, async (t) => {
    if (typeof first === 'string') return t.skip(first);
    const store = await openStore(t, new Map(paths.map((path) => [path, body(path, 0)])));
    const { node, shared, volumesOf } = await openNode(t);
    const [holder, mounting] = [containerOf('dagmount-holder'), containerOf('dagmount')];
    await image.start({ args: holder.args ?? [], volumes: await volumesOf(holder) });
    await waitFor('the holder', () => existsSync(join(node, 'run/dagmount-hold/hold.sock')));
    const volumes = await volumesOf(mounting);
    const port = await freePorts(1);
    const start = async (): Promise<Container> => {
      const container = await image.start({
        command: mounting.command ?? [],
        env: {
          ...Object.fromEntries((mounting.env ?? []).map(({ name, value }) => [name, value])),
          ...store.env,
          SOURCE: `s3://${store.bucket}/dags`,
          AWS_REGION: 'us-east-1',
          AWS_EC2_METADATA_DISABLED: 'true',
          DAGMOUNT_ENDPOINT_URL: store.endpoint,
          DAGMOUNT_POLL_INTERVAL: '1s',
          DAGMOUNT_SETTLE: '0',
          DAGMOUNT_NO_STANDBY: 'true',
          DAGMOUNT_WAIT_FOR_STORE: '60s',
          DAGMOUNT_METRICS_LISTEN: `127.0.0.1:${port}`,
        },
        volumes,
        mounts: true,
      });
      return says(container, 'ready');
    };
    let mount = await start();
    const target = join(shared, 'dags');
    const device = mountsAt(target)[0]?.minor;
    const readers = await Promise.all(
      Array.from({ length: READERS }, (_, index) => startReader(image, shared, '/mnt/dags', index)),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    // SIGUSR1, as kubelet ends the container of a replaced pod; SIGKILL, as lack of memory or a crash does.
    const ends = [
      ...Array.from({ length: KILLS }, () => (container: Container) => container.signal('KILL')),
      ...Array.from(
        { length: 2 },
        () => (container: Container) => container.execute('sh', '-c', 'kill -USR1 1'),
      ),
    ];
    for (const end of ends) {
      await delay(300 + Math.random() * 1200);
      await end(mount);
      await mount.runtime.exit;
      mount = await start();
      assert.equal(events(mount).filter((event) => event === 'taken-over').length, 1);
    }
    over.abort();
    await changing;
    await outlived(t, readers.map(readerOf));
    assert.deepEqual(
      mountsAt(target).map(({ minor }) => minor),
      [device],
      'it is the same mount',
    );
    await mount.signal('TERM');
    assert.deepEqual(await mount.runtime.exit, { code: 0, signal: null });
    assert.deepEqual(mountsAt(target), []);
  });

  test('gives pods their volumes as a CSI driver; readers in them see no error while it is killed and replaced', async (t) => {
    if (typeof first === 'string') return t.skip(first);
    const store = await openStore(t, new Map(paths.map((path) => [path, body(path, 0)])));
    const node = await openKubelet(t, store);
    await image.start({
      args: ['hold', '--socket', '/run/dagmount-hold/hold.sock'],
      volumes: node.volumes.filter(({ destination }) => destination === '/run/dagmount-hold'),
    });
    await waitFor('the holder', () => existsSync(join(node.directory, 'run/dagmount-hold/hold.sock')));
    const start = async (): Promise<Container> => {
      const kubelet = [
        '--node-id=node-1',
        `--kubelet-dir=${KUBELET}`,
        `--endpoint=unix://${KUBELET}/${SOCKET}`,
      ];
      const { volumes } = node;
      const container = await image.start({
        args: ['csi', ...kubelet],
        env: store.env,
        volumes,
        mounts: true,
      });
      return says(container, 'driver-listening');
    };
    let driver = await start();
    const pods = Array.from({ length: READERS }, (_, index) => `reader-${index}`);
    await Promise.all(pods.map(node.publish));
    const device = node.deviceOf('reader-0');
    assert.ok(device !== undefined);
    const readers = await Promise.all(
      pods.map((pod, index) => startReader(image, node.targetOf(pod), '/mnt', index)),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    for (const signal of ['KILL', 'TERM'] as const) {
      await delay(1_000);
      await driver.signal(signal);
      await driver.runtime.exit;
      driver = await start();
      await node.publish(`after-${signal}`);
      assert.equal(node.deviceOf(`after-${signal}`), device, 'it is the same mount');
    }
    over.abort();
    await changing;
    await outlived(t, readers.map(readerOf));
    const published = [...pods, 'after-KILL', 'after-TERM'];
    assert.deepEqual(new Set(published.map(node.deviceOf)), new Set([device]));
    for (const pod of published) await node.unpublish(pod);
    await driver.signal('TERM');
    assert.deepEqual(await driver.runtime.exit, { code: 0, signal: null });
    assert.deepEqual(new Set(published.map(node.deviceOf)), new Set([undefined]));
  });

  test('has a first process that reaps the children of others', async (t) => {
    if (typeof first === 'string') return t.skip(first);
    const container = await image.start({ command: [...image.entryPoint.slice(0, -1), 'sleep', '600'] });
    const pid = await container.firstProcess();
    const own = await waitFor('its child', () => childrenOf(pid).length === 1 && childrenOf(pid));
    await container.execute('sh', '-c', 'sleep 5 >/dev/null 2>&1 & exit 0');
    await waitFor('an adopted child', () => childrenOf(pid).length === 2);
    await waitFor('its end', () => childrenOf(pid).length === 1);
    assert.deepEqual(childrenOf(pid), own);
    t.diagnostic(`the entry point is ${image.entryPoint.join(' ')}`);
  });
});
