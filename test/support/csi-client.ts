import {
  Client,
  credentials,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { csiMessages } from '../../src/csi/csi-messages.ts';

export interface PublishCall {
  readonly volumeId: string;
  readonly targetPath: string;
  readonly volumeContext: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 120_000;
const CAPABILITY = { mount: { fsType: '' }, accessMode: { mode: 1 } };

/** Calls a CSI driver as kubelet does. */
export class CsiClient {
  readonly #client: Client;
  readonly #methods: ReadonlyMap<string, MethodDefinition<object, object>>;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure());
    const definitions = fromJSON(csiMessages as Parameters<typeof fromJSON>[0], { defaults: true });
    const services = ['csi.v1.Identity', 'csi.v1.Node'].map((name) => definitions[name] as ServiceDefinition);
    this.#methods = new Map(services.flatMap((service) => Object.entries(service)));
  }

  call(name: string, message: object = {}): Promise<object> {
    const method = this.#methods.get(name) as MethodDefinition<object, object>;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        message,
        { deadline: Date.now() + DEADLINE_MS },
        (error: ServiceError | null, answer) => (error === null ? resolve(answer ?? {}) : reject(error)),
      );
    });
  }

  async publish(call: PublishCall): Promise<void> {
    await this.call('NodePublishVolume', { ...call, volumeCapability: CAPABILITY });
  }

  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    await this.call('NodeUnpublishVolume', { volumeId, targetPath });
  }

  close(): void {
    this.#client.close();
  }
}
