import {
  Client,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { csiMessages } from '../../src/csi/csi-messages.ts';
import { type Cleanup, defer } from './temporary.ts';

const text = (id: number) => ({ type: 'string', id });
const texts = (id: number) => ({ keyType: 'string', type: 'string', id });
const empty = { fields: {} };
const rpc = (name: string) => ({ requestType: `${name}Request`, responseType: `${name}Response` });
/** PluginCapability.Service and ControllerServiceCapability.RPC: a message in a message, with the number of a kind. */
const capability = {
  fields: { capability: { type: 'Kind', id: 1 } },
  nested: { Kind: { fields: { type: { type: 'int32', id: 1 } } } },
};
const capabilities = { fields: { capabilities: { rule: 'repeated', type: 'Capability', id: 1 } } };
/** CONTROLLER_SERVICE, and CREATE_DELETE_VOLUME: both have this number. */
const FIRST = { capabilities: [{ capability: { type: 1 } }] };

const controllerMessages = {
  nested: {
    csi: {
      nested: {
        v1: {
          nested: {
            Identity: { methods: { GetPluginCapabilities: rpc('GetPluginCapabilities') } },
            Controller: {
              methods: {
                ControllerGetCapabilities: rpc('ControllerGetCapabilities'),
                CreateVolume: rpc('CreateVolume'),
                DeleteVolume: rpc('DeleteVolume'),
              },
            },
            Capability: capability,
            GetPluginCapabilitiesRequest: empty,
            GetPluginCapabilitiesResponse: capabilities,
            ControllerGetCapabilitiesRequest: empty,
            ControllerGetCapabilitiesResponse: capabilities,
            CreateVolumeRequest: { fields: { name: text(1), parameters: texts(4) } },
            CreateVolumeResponse: { fields: { volume: { type: 'Volume', id: 1 } } },
            Volume: { fields: { volumeId: text(2), volumeContext: texts(3) } },
            DeleteVolumeRequest: { fields: { volumeId: text(1) } },
            DeleteVolumeResponse: empty,
          },
        },
      },
    },
  },
};

interface CreateVolume {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A volume is only a name, and what the driver publishes under it: this makes and deletes nothing. */
const answers: Readonly<Record<string, (request: CreateVolume) => object>> = {
  GetPluginCapabilities: () => FIRST,
  ControllerGetCapabilities: () => FIRST,
  CreateVolume: ({ name, parameters }) => ({ volume: { volumeId: name, volumeContext: parameters } }),
  DeleteVolume: () => ({}),
};

/**
 * A controller in front of a driver; dagmount has none. csi-sanity tests volumes from their creation on, and only with
 * a driver that reports a controller. This one passes all other calls to the driver, and the driver's answers to the
 * caller, unchanged.
 */
export async function startController(t: Cleanup, socket: string, driverSocket: string): Promise<void> {
  const own = fromJSON(controllerMessages as Parameters<typeof fromJSON>[0], { defaults: true });
  const ofDriver = fromJSON(csiMessages as Parameters<typeof fromJSON>[0]);
  const driver = new Client(`unix:${driverSocket}`, credentials.createInsecure());
  const server = new Server();
  const methodsOf = (from: typeof own, name: string): ServiceDefinition =>
    (from[`csi.v1.${name}`] ?? {}) as ServiceDefinition;
  for (const service of ['Identity', 'Node', 'Controller']) {
    const [answered, passed] = [methodsOf(own, service), methodsOf(ofDriver, service)];
    const definitions = { ...untouched(passed), ...answered };
    const handlers = Object.entries(definitions).map(([name, { path }]) => {
      const answer = answers[name];
      const handler: handleUnaryCall<Buffer & CreateVolume, object> =
        answer === undefined
          ? ({ request }, done) => driver.makeUnaryRequest(path, asIs, asIs, request, done)
          : ({ request }, done) => done(null, answer(request));
      return [name, handler] as const;
    });
    server.addService(definitions, Object.fromEntries(handlers));
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  defer(t, () => {
    server.forceShutdown();
    driver.close();
  });
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** The same methods, with their messages passed as bytes. */
function untouched(methods: ServiceDefinition): ServiceDefinition {
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, { ...method, ...bytes }]));
}
