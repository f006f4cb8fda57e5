import type { NodeVolumes } from './node-volumes.ts';
import { VolumeError } from './volume-error.ts';

export const DRIVER_NAME = 'csi.dagmount.dev';

export interface PublishMessage {
  readonly volumeId: string;
  readonly targetPath: string;
  readonly volumeCapability: VolumeCapability | null;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}

interface VolumeCapability {
  readonly block: unknown;
  readonly mount: unknown;
  readonly accessMode: { readonly mode: number } | null;
}

export interface DriverOptions {
  readonly volumes: Pick<NodeVolumes, 'publish' | 'unpublish'>;
  /** The name of this node, as Kubernetes has it. */
  readonly node: string;
  readonly version: string;
}

/** Answers the calls of CSI's Identity and Node services. A call that fails rejects with VolumeError. */
export class Driver {
  readonly #options: DriverOptions;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  GetPluginInfo() {
    return { name: DRIVER_NAME, vendorVersion: this.#options.version };
  }

  GetPluginCapabilities() {
    return {};
  }

  Probe() {
    return { ready: { value: true } };
  }

  NodeGetCapabilities() {
    return {};
  }

  NodeGetInfo() {
    return { nodeId: this.#options.node };
  }

  async NodePublishVolume(message: PublishMessage) {
    const { volumeId, targetPath: target, secrets, volumeContext: context } = message;
    requireVolume(volumeId, target);
    requireCapability(message.volumeCapability);
    await this.#options.volumes.publish({ volumeId, target, context, secrets });
    return {};
  }

  async NodeUnpublishVolume({ volumeId, targetPath }: Pick<PublishMessage, 'volumeId' | 'targetPath'>) {
    requireVolume(volumeId, targetPath);
    await this.#options.volumes.unpublish(volumeId, targetPath);
    return {};
  }
}

const HINT = 'It is kubelet that calls the driver.';

function requireVolume(volumeId: string, target: string): void {
  if (volumeId === '') throw new VolumeError('malformed', 'The call names no volume.', HINT);
  if (target === '') throw new VolumeError('malformed', 'The call names no target path.', HINT);
}

/**
 * Refuses a volume that is used as a block device. Accepts every access mode, because volumes are read-only.
 */
function requireCapability(capability: VolumeCapability | null): void {
  if (capability === null || capability.accessMode === null) {
    throw new VolumeError('malformed', 'The call names no capability of the volume.', HINT);
  }
  if (capability.block === null && capability.mount !== null) return;
  throw new VolumeError('malformed', 'The volume is no block device.', 'Use it with volumeMounts.');
}
