import { chmodSync, rmSync } from 'node:fs';
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { Logger } from '../base/logger.ts';
import { isSystemError } from '../base/system-error.ts';
import { csiMessages } from './csi-messages.ts';
import type { Driver } from './driver.ts';
import { VolumeError, type VolumeErrorCode } from './volume-error.ts';

const SCHEME = 'unix://';
const CLOSE_MS = 5_000;
/** Longer messages are refused, in bytes. kubelet sends small messages. */
const LONGEST_MESSAGE = 1024 * 1024;

/**
 * The gRPC status of each error, as the CSI specification uses them. kubelet repeats a call that fails with
 * any of these.
 */
const statuses: Readonly<Record<VolumeErrorCode, status>> = {
  malformed: status.INVALID_ARGUMENT,
  'not-allowed': status.PERMISSION_DENIED,
  'unsafe-target': status.INVALID_ARGUMENT,
  'other-volume': status.ALREADY_EXISTS,
  'no-token': status.FAILED_PRECONDITION,
  denied: status.PERMISSION_DENIED,
  'no-source': status.NOT_FOUND,
  unavailable: status.UNAVAILABLE,
  failed: status.INTERNAL,
};

export interface GrpcServer {
  /**
   * Resolves when the running calls have been answered. After CLOSE_MS it cuts off the others; kubelet
   * repeats them.
   */
  close(): Promise<void>;
}

type Method = (message: never) => unknown;

/** Answers kubelet at `unix:///path`. Replaces a socket that an earlier driver left there. */
export async function serveDriver(endpoint: string, driver: Driver, log: Logger): Promise<GrpcServer> {
  const path = socketOf(endpoint);
  rmSync(path, { force: true });
  const definitions = fromJSON(csiMessages as Parameters<typeof fromJSON>[0], {
    defaults: true,
    oneofs: false,
  });
  const server = new Server({ 'grpc.max_receive_message_length': LONGEST_MESSAGE });
  for (const service of ['csi.v1.Identity', 'csi.v1.Node']) {
    const definition = definitions[service] as ServiceDefinition;
    const handlers = Object.keys(definition).map((name) => {
      const method = driver[name as keyof Driver].bind(driver) as Method;
      return [name, answering(method, log)] as const;
    });
    server.addService(definition, Object.fromEntries(handlers));
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  // Only the driver's user may connect: a client of this socket can mount with the node's credentials.
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, CLOSE_MS);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

export function isEndpoint(endpoint: string): boolean {
  return endpoint.startsWith(`${SCHEME}/`);
}

export function socketOf(endpoint: string): string {
  return endpoint.slice(SCHEME.length);
}

function answering(method: Method, log: Logger): handleUnaryCall<object, object> {
  return (call, answer) => {
    Promise.resolve()
      .then(() => method(call.request as never))
      .then(
        (value) => answer(null, value as object),
        (error: unknown) => answer(refusal(error, call.request, log)),
      );
  };
}

/** Logs an error, and returns it as a gRPC status. kubelet shows `details` in the events of the pod. */
function refusal(error: unknown, request: object, log: Logger): Partial<StatusObject> {
  const { volumeId: volume, targetPath: target } = request as {
    readonly volumeId?: string;
    readonly targetPath?: string;
  };
  if (error instanceof VolumeError) {
    const { code, message, hint } = error;
    log.warn({ event: 'volume-refused', volume, target, code, hint }, message);
    return { code: statuses[code], details: `${message} ${hint}`.trim() };
  }
  log.error(
    { event: 'volume-refused', volume, target, error },
    'a call of kubelet failed with an unexpected error',
  );
  // A system error, for example of a full disk, is no bug of dagmount, and the operator needs its errno.
  if (isSystemError(error)) {
    const details = `The driver cannot use a file of this node: ${error.syscall} failed with ${error.code}.`;
    return { code: status.INTERNAL, details };
  }
  return { code: status.INTERNAL, details: 'This is a fault of dagmount: the log of the driver says more.' };
}
